// The session of a browser: the cookie that the site's own pages work with.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/auth.hpp"

namespace handlers::browser {

/// Sets the cookie, from the access token of a login of the last five minutes.
awaitable<reply> open(call& c);

/// Ends the session of the cookie, and deletes the cookie. Without one, the same response.
awaitable<reply> close(call& c);

/// An access token for one of the user's workspaces.
awaitable<reply> issue_token(call& c, std::optional<schemas::browser_token_request> body);

inline constexpr operation operations[] = {
    describes<&open>(
        tags::sessions, "openBrowserSession", "Sign the browser in",
        "Sets the cookie of the site's own pages, from the access token of a login, sign-up or provider "
        "sign-in of the last five minutes. Makes a session of its own, and ends the one of the cookie that "
        "was there. For pages of this site alone: `Sec-Fetch-Site` has to be `same-origin` or, without that "
        "header, `Origin` the public URL's.")
        .responds(204, "The cookie is set: `__Host-latchkey`, or `latchkey` over HTTP on a loopback address.")
        .fails_with(codes::forbidden, codes::reauthentication_required, codes::https_required),
    describes<&close>(tags::sessions, "closeBrowserSession", "Sign the browser out",
                      "Ends the session of the cookie and all access tokens made from it, and deletes the "
                      "cookie. Once this has answered, no node accepts them. For pages of this site alone.")
        .responds(204, "The browser is signed out, or was not signed in."),
    describes<&issue_token>(
        tags::sessions, "issueBrowserToken", "Get an access token for the browser's session",
        "The only call that turns the cookie into a credential. Each page may be in a workspace of its own: "
        "`workspace_id` is for this token alone; without it, it is the session's workspace, or the one that "
        "a login would open. `role` and `permissions` are as in `GET /me`. Extends the life of the session. "
        "Counts against the rate limit of the session. "
        "For pages of this site alone.")
        .fails_with(codes::unauthorized, codes::account_disabled, codes::email_not_verified,
                    codes::not_found),
};

} // namespace handlers::browser
