// Request validation beyond the parser: rejects headers on which two servers might disagree (request
// smuggling).
#pragma once

#include "server/http/request_parser.hpp"

#include <optional>
#include <string_view>

namespace server {

/** @param parsed after its header
    @return a text for people if the header is invalid (RFC 9112, sections 2.2, 3.2, 5.2 and 6.1) */
std::optional<std::string_view> validate_header(const request_parser& parsed);

/// A request target, split. Refers to the target.
struct target {
    std::string_view path;
    std::string_view query;
};

/// Split a target in origin-form, absolute-form or `*`. Requires a header that validate_header() accepts.
target split_target(std::string_view text);

} // namespace server
