// Sessions: refreshed, listed, ended.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/auth.hpp"
#include "schemas/page.hpp"
#include "schemas/session.hpp"

namespace handlers::sessions {

/** Exchanges a refresh token for new tokens. A retry within ten seconds gets the same successor; reuse after
    that ends the session. */
awaitable<answer<schemas::login_result>> refresh(call& c, schemas::refresh body);

/// Ends the session of the access token. With an API key: 400 not_a_session.
awaitable<answer<no_content>> logout(call& c);

/// The caller's live sessions, newest first.
awaitable<answer<schemas::page<schemas::session_row>>> list(call& c, query<schemas::page_query> wanted);

/// Ends one of the caller's sessions.
awaitable<answer<no_content>> end(call& c);

/// Ends all of the caller's sessions except the current one.
awaitable<answer<no_content>> end_others(call& c);

} // namespace handlers::sessions
