// Proving anew who one is, where a call is too grave for a credential alone.
#pragma once

#include "db/tables/users.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "schemas/engine/types.hpp"

#include <optional>
#include <string_view>

namespace handlers {

/** Whether the caller has proved to be `user`: by their password; or, if they have none, by a session that
   was opened less than five minutes ago. Wrong passwords count as those at the login do.
    @param field the password's name in the body
    @return nothing if so; else 403 invalid_credentials, 403 reauthentication_required, 422 for a password
   that was not sent, or 429 */
awaitable<std::optional<problem>> require_reauthentication(call& c, const db::users::row& user,
                                                           std::optional<schemas::existing_password> password,
                                                           std::string_view field);

} // namespace handlers
