// Who the caller is, to themselves.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/account.hpp"
#include "schemas/auth.hpp"
#include "schemas/user.hpp"

namespace handlers::profile {

/** The caller: person, workspace, role, effective permissions, credential. */
awaitable<answer<schemas::me>> show(call& c);

/** Change one's own name, title, locale or time zone; answers as show() does. */
awaitable<answer<schemas::me>> update(call& c, schemas::patch_me body);

/** End the caller's account and every credential of it, and forget who did what they did. Asks for the
   password. 409 while they own a workspace with other members. */
awaitable<answer<nothing>> remove(call& c, std::optional<schemas::account_deletion> body);

} // namespace handlers::profile
