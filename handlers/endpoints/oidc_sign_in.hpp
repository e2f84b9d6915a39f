// Sign-in through an OpenID provider: Google, or another one in its place.
#pragma once

#include "handlers/authn/provider_account.hpp"
#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/auth.hpp"
#include "schemas/oauth.hpp"

namespace handlers::oidc_sign_in {

/** Redirects the browser to the provider. A sealed cookie keeps the state and binds the callback to this
    browser, which can have five sign-ins in progress: one more ends the oldest. 404 without a configured
    provider; 422 for a redirect_uri that is not allowed. */
awaitable<reply> authorize(call& c, query<schemas::oauth_authorization_request> asked);

/** The provider's redirect: authenticates the user, stores the result under a code for a minute, and
    redirects the browser to the client with the code, or with an error (RFC 6749, section 4.1.2.1). Once for
    each sign-in: 400 for a repeated one, also on another node and with the cookie. */
awaitable<reply> callback(call& c, query<schemas::oauth_callback> back);

/** Exchanges the code for a session of the account that the identity is linked to, or that is linked or
   created now: see find_or_create_account(). The bearer credential is optional, and matters only for linking.
 */
awaitable<answer<schemas::login_result>> exchange(call& c, schemas::oauth_exchange body);

/// The same for a page that knows which account it has to be: else 403 wrong_account, and nothing has
/// changed.
awaitable<answer<schemas::login_result>> exchange_for(call& c, schemas::oauth_exchange body,
                                                      expected_account expected);

inline constexpr operation operations[] = {
    describes<&authorize>(
        tags::google, "authorizeWithGoogle", "Start the sign-in with Google",
        "A redirect for a browser. `redirect_uri` must be on the operator's list; PKCE (RFC 7636) is "
        "required. A browser can have five sign-ins in progress. With `prompt=login` the provider is "
        "asked to authenticate the person once more.")
        .fails_with(codes::not_found)
        .responds(302, "To Google."),
    describes<&callback>(
        tags::google, "returnFromGoogle", "Redirect target of Google",
        "Redirects to the client's `redirect_uri` with a code that can be used once, within 60 s. Works once "
        "for each sign-in, in the browser that began it.")
        .fails_with(codes::not_found)
        .responds(302, "To the client, with `code` and `state`, or with `error` and `state`."),
    describes<&exchange>(
        tags::google, "exchangeGoogleCode", "Exchange the code for tokens",
        "The code is that of the final redirect; `code_verifier` belongs to the `code_challenge` of its "
        "start. A new person gets an account. An existing account with the address is joined if the provider "
        "is authoritative for the address: Google for `@gmail.com` and for the domain in `hd`, another one "
        "for the configured domains. Otherwise the answer is 409 `link_required`: sign in with the password, "
        "begin again, and send the code with the bearer token of that session, which must be less than five "
        "minutes old (403 `reauthentication_required`). The session has to be of the account with the "
        "address; any other credential is ignored. The owner gets an email when a provider is linked.")
        .fails_with(codes::invalid_token, codes::not_found, codes::account_disabled,
                    codes::email_not_verified, codes::invalid_credentials, codes::unauthorized,
                    codes::token_expired, codes::reauthentication_required, codes::link_required,
                    codes::conflict),
};

} // namespace handlers::oidc_sign_in
