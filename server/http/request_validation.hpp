// What a request's header must satisfy beyond what the parser checks: all that lets two servers disagree on
// where a request ends or whom it is for.
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

#include <optional>
#include <string_view>

namespace server {

/** @param raw the header as it came, from the request line to the empty line
    @return what is wrong with it, for people, or nothing (RFC 9112, sections 2.2, 3.2, 5.2 and 6.1) */
std::optional<std::string_view> header_fault(const boost::beast::http::request_header<>& header,
                                             std::string_view raw);

/** A request target taken apart; the views refer to the target. */
struct target {
    std::string_view path;
    std::string_view query;
};

/** Origin-form or absolute-form, or `*`. Call it for a header that header_fault found nothing wrong with. */
target split_target(std::string_view text);

} // namespace server
