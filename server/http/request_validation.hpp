// Request validation beyond the parser: rejects headers on which two servers might disagree (request
// smuggling).
#pragma once

#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>

#include <optional>
#include <string_view>

namespace server {

/** @param raw the header as received, from the request line to the empty line
    @return a text for people if the header is invalid (RFC 9112, sections 2.2, 3.2, 5.2 and 6.1) */
std::optional<std::string_view> validate_header(const boost::beast::http::request_header<>& header,
                                                std::string_view raw);

/// A request target, split. Refers to the target.
struct target {
    std::string_view path;
    std::string_view query;
};

/// Split a target in origin-form, absolute-form or `*`. Requires a header that validate_header() accepts.
target split_target(std::string_view text);

} // namespace server
