// Sessions: kept alive, listed, ended.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/auth.hpp"
#include "schemas/page.hpp"
#include "schemas/session.hpp"

namespace handlers::sessions {

/** Spend a refresh token for new tokens. A retry within ten seconds gets the same successor; a token that was
    spent before ends its session. */
awaitable<answer<schemas::login_result>> refresh(call& c, schemas::refresh body);

/** End the session of the token used. With an API key: 400 not_a_session. */
awaitable<answer<nothing>> logout(call& c);

/** The caller's live sessions, the newest first. */
awaitable<answer<schemas::page<schemas::session_row>>> list(call& c, query<schemas::page_query> wanted);

/** End one of the caller's sessions. */
awaitable<answer<nothing>> end(call& c);

/** End all of the caller's sessions but the one used. */
awaitable<answer<nothing>> end_others(call& c);

} // namespace handlers::sessions
