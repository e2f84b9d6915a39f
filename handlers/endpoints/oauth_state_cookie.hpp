// OAuth state cookie: a sign-in through a provider in progress, sealed into a cookie of the browser.
#pragma once

#include "handlers/http/context.hpp"

#include <boost/describe/class.hpp>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/// The path of the cookie, and of the endpoints that use it.
inline constexpr std::string_view oidc_base_path = "/api/v1/users/oauth/google";

/// The path of the site's own page that may be the redirect URI of a sign-in.
inline constexpr std::string_view oidc_return_page = "/sign-in/google/done";

/// Sign-ins that one browser can have in progress: the cookies of more would fill its header.
inline constexpr std::size_t max_begun_sign_ins = 5;

/// One sign-in in progress.
struct oauth_state {
    /// Returned by the provider.
    std::string state;
    /// Expected in the provider's ID token.
    std::string nonce;
    /// PKCE code verifier of the request to the provider.
    std::string verifier;
    /// Parameters of the client's authorization request.
    std::string redirect_uri, client_state, code_challenge;
    /// In seconds since 1970.
    std::int64_t expires_at = 0;
};
BOOST_DESCRIBE_STRUCT(oauth_state, (),
                      (state, nonce, verifier, redirect_uri, client_state, code_challenge, expires_at))

/// The value of Set-Cookie. Each sign-in has its own cookie: concurrent ones of a browser do not interfere.
std::string to_cookie(const context& cx, const oauth_state& state);

/// The value of Set-Cookie that deletes the cookie.
std::string delete_cookie(const context& cx, std::string_view state);

/// Values of Set-Cookie that make room for one more sign-in within max_begun_sign_ins: they delete the
/// oldest, and first of all cookies that are expired or unreadable.
std::vector<std::string> delete_oldest_cookies(const context& cx, const request& req);

/// The sign-in with this state that this browser has started; nothing if there is none or it has expired.
std::optional<oauth_state> from_cookies(const context& cx, const request& req, std::string_view state);

} // namespace handlers
