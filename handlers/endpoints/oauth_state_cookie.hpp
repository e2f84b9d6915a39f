// What has to be known when a browser comes back from a provider: sealed into a cookie of that browser.
#pragma once

#include "handlers/http/context.hpp"

#include <boost/describe/class.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace handlers {

/** One sign-in that has been begun. */
struct begun_sign_in {
    std::string state;           ///< what the provider gives back
    std::string nonce;           ///< what its token must hold
    std::string verifier;        ///< of our own PKCE towards the provider
    std::string redirect_uri;    ///< the client's
    std::string client_state;    ///< likewise
    std::string code_challenge;  ///< likewise
    std::int64_t expires_at = 0; ///< seconds since 1970
};
BOOST_DESCRIBE_STRUCT(begun_sign_in, (),
                      (state, nonce, verifier, redirect_uri, client_state, code_challenge, expires_at))

/** The value of Set-Cookie. Each sign-in has a cookie of its own, so that two of one browser do not disturb
   each other. */
std::string to_cookie(const context& cx, const begun_sign_in& what);

/** The value of Set-Cookie that takes it away. */
std::string forget_cookie(const context& cx, std::string_view state);

/** The sign-in of this state that this very browser has begun; nothing if there is none, or it took too long.
 */
std::optional<begun_sign_in> from_cookies(const context& cx, const request& req, std::string_view state);

} // namespace handlers
