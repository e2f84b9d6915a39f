// The cookie of a browser's session: its name, its attributes and its value.
#pragma once

#include "crypto/one_time_token.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/** The name of the cookie: `__Host-latchkey`, or `latchkey` where the public URL is http on a loopback
    address, on which browsers refuse the prefix. Empty elsewhere: a cookie would cross the network in clear
    text. */
std::string_view session_cookie_name(const settings& config);

/// 403 https_required where there can be no browser sessions.
std::optional<problem> require_browser_sessions(const settings& config);

/// The value of Set-Cookie that deletes the cookie. Empty where there can be no browser sessions.
std::string delete_session_cookie(const settings& config);

/** The digest of the request's cookie, under which its session is stored.
    @return nothing if there is none, if it is malformed, or if there are several: a neighbouring host may
    have set one of them, and nothing shows which */
std::optional<db::digest> read_session_cookie(const call& c);

/// The digests of all well-formed cookies with the name, of the first four at most.
std::vector<db::digest> read_session_cookies(const call& c);

/// The value of Set-Cookie that sets the cookie, where there can be browser sessions.
std::string make_session_cookie(const settings& config, const crypto::one_time_token& token);

} // namespace handlers
