// Browser sessions: the cookie that tells the site's own pages who sits at the browser.
#pragma once

#include "crypto/one_time_token.hpp"
#include "db/tables/accounts.hpp"
#include "handlers/authn/browser_cookie.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"

#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/// The session of a request's cookie.
struct browser_session {
    db::uuid id{};
    /// Neither disabled nor, where verification is required, unverified.
    db::users::row user;
    /// All of the user, the oldest membership first.
    std::vector<db::memberships::workspace_membership> workspaces;
    /// The one of `workspaces` that a page or a token without a choice is for: the session's, else the one
    /// that a login would open; nothing for a user without any.
    std::optional<db::uuid> workspace_id;
    db::timestamp signed_in_at, expires_at;
};

/** Loads the session of the request's cookie (read_session_cookie()), from the database. Counts nothing
    against a rate limit.
    @return nothing without a session that is alive
    @throw db::failure */
awaitable<std::optional<browser_session>> load_browser_session(call& c);

/** While it exists, the handlers that `c` runs and that sign a person in (accounts::login and signup,
    invite_acceptance::accept, oidc_sign_in::exchange, and all others that call open_session()) open a browser
   session in their transaction instead of one with a refresh token, and end the session of the cookie that
   came with the request (session fixation). Their results have no tokens.

        browser_sign_in browser(c);
        auto outcome = co_await accounts::login(c, std::move(body));
        if (std::holds_alternative<schemas::login_result>(outcome))
            out.add_header("Set-Cookie", browser.set_cookie()); */
class browser_sign_in {
public:
    explicit browser_sign_in(call& c);
    ~browser_sign_in();
    browser_sign_in(const browser_sign_in&) = delete;
    browser_sign_in& operator=(const browser_sign_in&) = delete;

    /// The session that the handler has opened. @return nothing unless it has @throw db::failure
    awaitable<std::optional<browser_session>> load() const;

    /** The value of Set-Cookie. Only once the handler has succeeded: until then no session has the cookie.
        @throw std::logic_error if the handler has opened none */
    std::string set_cookie() const;

private:
    call& c_;
    crypto::one_time_token token_;
    pending_cookie cookie_;
};

/** From now on the call has no credential, except for a browser_credential: the form or redirect of a browser
    acts for its cookie, and not for an Authorization header that a proxy or a program has added. */
void ignore_authorization_header(call& c);

/** While it exists, the handlers that `c` runs find this session's access token as the credential of the
    request, for the session's default workspace or another of its workspaces: for pages that act for who is
    signed in, such as accepting an invite. Guards are not run: a handler that needs `c.caller()` needs
    authorize(c, guard) first. */
class browser_credential {
public:
    browser_credential(call& c, const browser_session& session);
    browser_credential(call& c, const browser_session& session, const db::uuid& workspace);
    ~browser_credential();
    browser_credential(const browser_credential&) = delete;
    browser_credential& operator=(const browser_credential&) = delete;

private:
    call& c_;
    std::string token_;
    std::string_view before_;
};

/** Opens a browser session for the session that the caller has signed in to in the last five minutes, with
   the time of that sign-in, and ends the session of the cookie that came with the request.
    @return the value of Set-Cookie; 403 https_required, forbidden for an API key, reauthentication_required
   for an older session; 401 if the caller's session ended meanwhile */
awaitable<result<std::string>> open_browser_session(call& c);

/** Ends the session of the request's cookie, on every node; of several cookies with the name, of which none
    signs in, those of the first few. Does nothing without one. @throw db::failure */
awaitable<void> end_browser_session(call& c);

} // namespace handlers
