// Sessions: refreshed, listed, ended.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/auth.hpp"
#include "schemas/page.hpp"
#include "schemas/session.hpp"

namespace handlers::sessions {

/** Exchanges a refresh token for new tokens. A retry within ten seconds gets the same successor; reuse after
    that ends the session. */
awaitable<answer<schemas::login_result>> refresh(call& c, schemas::refresh body);

/// Ends the session of the access token, which may have expired. With an API key: 400 not_a_session.
awaitable<answer<no_content>> logout(call& c);

/// The caller's live sessions, newest first.
awaitable<answer<schemas::page<schemas::session_row>>> list(call& c, query<schemas::page_query> wanted);

/// Ends one of the caller's sessions.
awaitable<answer<no_content>> end(call& c);

/// Ends all of the caller's sessions except the current one.
awaitable<answer<no_content>> end_others(call& c);

inline constexpr operation operations[] = {
    describes<&refresh>(
        tags::sessions, "refreshToken", "Exchange a refresh token for new tokens",
        "A refresh token can be used once. Reuse ends the session, except for a retry of the same client "
        "within 10 s, which gets the same successor.")
        .fails_with(codes::unauthorized, codes::account_disabled, codes::email_not_verified,
                    codes::not_found),
    describes<&logout>(
        tags::sessions, "logOut", "End the session of the access token",
        "Once this has answered, no node accepts the session's tokens. An access token that has "
        "expired ends its session all the same.")
        .fails_with(codes::not_a_session),
    describes<&list>(tags::sessions, "listSessions", "List the account's sessions")
        .fails_with(codes::forbidden),
    describes<&end_others>(tags::sessions, "endOtherSessions", "End all sessions but this one")
        .fails_with(codes::forbidden),
    describes<&end>(tags::sessions, "endSession", "End one session").fails_with(codes::forbidden),
};

} // namespace handlers::sessions
