// Request and reply: what the HTTP server and the handlers exchange.
#pragma once

#include "handlers/http/request_head.hpp"

#include <boost/asio/ip/address.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

namespace handlers {

/// The largest body of a request in bytes, unless the route has its own limit.
inline constexpr std::size_t default_body_limit = std::size_t{64} << 10;

/// One complete request. Refers to its head and body, which outlive it.
struct request {
    const request_head& head;
    /// Empty until it has arrived.
    const std::string& content;
    /// Percent-encoded, without the query.
    std::string_view path;
    /// Without the '?'; empty if there is none.
    std::string_view query;
    boost::asio::ip::address client;
    /// X-Request-Id.
    std::string_view id;

    std::string_view header(http::field name) const { return head[name]; }
    std::string_view body() const { return content; }
};

/// One reply.
struct reply {
    unsigned status = 200;
    std::string body;
    /// In place of `body`: one in memory that outlives all connections, such as an embedded file. No
    /// connection that is slow to read it holds a copy.
    std::string_view static_body;
    std::string_view content_type = "application/json";
    /// Further header lines, each "Name: value\r\n".
    std::string headers;
    /// For the log alone.
    std::string cause;
    std::string_view cache_control = "no-store";
    /// The path pattern of the route, for the log.
    std::string_view route;
    /// Frequent and uniform: logged at level debug.
    bool is_routine = false;

    static constexpr std::size_t no_route = static_cast<std::size_t>(-1);
    /// The index of the route in the table, for the metrics.
    std::size_t route_index = no_route;

    /// Adds a header line. Drops control characters of the value: no header injection.
    void add_header(std::string_view name, std::string_view value)
    {
        auto is_control = [](char c) { return static_cast<unsigned char>(c) < 0x20 || c == 0x7f; };
        headers.append(name).append(": ");
        if (std::ranges::none_of(value, is_control))
            headers.append(value);
        else
            std::ranges::remove_copy_if(value, std::back_inserter(headers), is_control);
        headers.append("\r\n");
    }
};

} // namespace handlers
