// Sign-in through an OpenID provider: Google, or another one in its place.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/auth.hpp"
#include "schemas/oauth.hpp"

namespace handlers::oidc_sign_in {

/** Redirects the browser to the provider. A sealed cookie keeps the state and binds the callback to this
    browser. 404 without a configured provider; 422 for a redirect_uri that is not allowed. */
awaitable<reply> authorize(call& c, query<schemas::oauth_authorization_request> asked);

/** The provider's redirect: authenticates the user, stores the result under a code for a minute, and
    redirects the browser to the client with the code, or with an error (RFC 6749, section 4.1.2.1). */
awaitable<reply> callback(call& c, query<schemas::oauth_callback> back);

/** Exchanges the code for a session. A new user gets an account and a workspace. A verified account with the
    same address is linked; an unverified one first loses its password, sessions and keys. */
awaitable<answer<schemas::login_result>> exchange(call& c, schemas::oauth_exchange body);

} // namespace handlers::oidc_sign_in
