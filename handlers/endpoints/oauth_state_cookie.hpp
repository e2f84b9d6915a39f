// OAuth state cookie: a sign-in through a provider in progress, sealed into a cookie of the browser.
#pragma once

#include "handlers/endpoints/state_cookies.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <string>
#include <string_view>

namespace handlers {

/// The path of the cookie, and of the endpoints that use it.
inline constexpr std::string_view oidc_base_path = "/api/v1/users/oauth/google";

/// The path of the site's own page that may be the redirect URI of a sign-in.
inline constexpr std::string_view oidc_return_page = "/sign-in/google/done";

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

/// Their path is that of the endpoints.
state_cookies<oauth_state> oauth_state_cookies(const context& cx);

} // namespace handlers
