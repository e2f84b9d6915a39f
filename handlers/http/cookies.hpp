// Cookies of a request (RFC 6265).
#pragma once

#include "handlers/http/message.hpp"

#include <string_view>
#include <vector>

namespace handlers {

/// Refers to the request's header.
struct cookie {
    std::string_view name, value;
};

/// The cookies of a request in their order: of one path, the oldest first (RFC 6265, section 5.4).
std::vector<cookie> read_cookies(const request& req);

/// The value of the only cookie with a name. Empty if there is none, or several: a site on a neighbouring
/// host may have set one of them (cookie tossing), and nothing tells which.
std::string_view find_only_cookie(const request& req, std::string_view name);

} // namespace handlers
