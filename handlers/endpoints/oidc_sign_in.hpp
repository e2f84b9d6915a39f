// Signing in with Google, or any other OpenID provider that stands in its place.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/auth.hpp"
#include "schemas/oauth.hpp"

namespace handlers::google {

/** Below it lie the calls of a sign-in. */
inline constexpr std::string_view base_path = "/api/v1/users/oauth/google";

/** Send the browser to the provider. What has to be known when it comes back travels in a sealed cookie,
   which binds the way back to this browser. 404 where no provider is configured; 422 for a redirect_uri that
   is not allowed. */
awaitable<reply> authorize(call& c, query<schemas::oauth_begin> asked);

/** The browser comes back: learn who it is, keep that under a code for a minute, and send the browser on with
   the code, or with an error (RFC 6749, 4.1.2.1). */
awaitable<reply> callback(call& c, query<schemas::oauth_return> back);

/** Trade the code for a session. A person whom nobody knows gets an account and a workspace. A verified
   account with the same address is joined; one that never verified it loses its password, sessions and keys
   first. */
awaitable<answer<schemas::login_result>> exchange(call& c, schemas::oauth_exchange body);

} // namespace handlers::google
