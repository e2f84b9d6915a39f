// The words that handlers and the server share: a request as it was read, a reply as it will be written.
#pragma once

#include <boost/asio/ip/address.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <string>
#include <string_view>

namespace handlers {

namespace http = boost::beast::http;

/** Without the white space around it (OWS of RFC 9110, section 5.6.3). */
inline std::string_view trim(std::string_view text)
{
    auto from = text.find_first_not_of(" \t");
    if (from == std::string_view::npos)
        return {};
    return text.substr(from, text.find_last_not_of(" \t") - from + 1);
}

/** The largest body of a request, in bytes, unless its route says otherwise. */
inline constexpr std::size_t body_limit = std::size_t{64} << 10;

/** One request, whole and in memory. It refers to the message; both live until the reply has been made. */
struct request {
    const http::request<http::string_body>& message;
    std::string_view path;  // still percent-encoded, without the query
    std::string_view query; // without the '?', empty if there is none
    boost::asio::ip::address client;
    std::string_view id; // X-Request-Id

    std::string_view header(http::field name) const { return message[name]; }
    std::string_view body() const { return message.body(); }
};

/** One reply. `cause` is for the log alone and never leaves the server. */
struct reply {
    unsigned status = 200;
    std::string body;
    std::string_view content_type = "application/json";
    std::string headers; // further lines, each "Name: value\r\n"
    std::string cause;
    std::string_view cache_control = "no-store";
    std::string_view route;  // the line of the route table that made it, for the log
    bool is_routine = false; // one of very many alike: no news for the log

    static constexpr std::size_t no_route = static_cast<std::size_t>(-1);
    std::size_t route_number = no_route; // of that line, for whoever counts

    /** Add a header line. Control characters in the value are dropped: no value can add a line of its own. */
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
