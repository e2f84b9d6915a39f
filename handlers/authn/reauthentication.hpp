// Reauthentication: a fresh proof of identity, for calls where a valid credential is not enough.
#pragma once

#include "db/tables/users.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "schemas/engine/types.hpp"

#include <optional>
#include <string_view>

namespace handlers {

/// When the caller signed in, if its credential is a session that was opened less than five minutes ago.
awaitable<std::optional<db::timestamp>> find_fresh_sign_in(call& c);

/// Whether the caller's credential is a session that was opened less than five minutes ago.
awaitable<bool> has_fresh_session(call& c);

/** Requires the password of `user`, who is the caller; or, of an account without one, a session that was
    opened less than five minutes ago. Wrong passwords count against the login limits.
    @param field name of the password in the body, for the error
    @return nothing on success; else 403 invalid_credentials, 403 reauthentication_required, 422 for a
    missing password, or 429 */
awaitable<std::optional<problem>> require_reauthentication(call& c, const db::users::row& user,
                                                           std::optional<schemas::existing_password> password,
                                                           std::string_view field);

} // namespace handlers
