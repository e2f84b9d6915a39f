// The caller's own profile.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/account.hpp"
#include "schemas/auth.hpp"
#include "schemas/user.hpp"

namespace handlers::profile {

/// The caller: user, workspace, role, effective permissions, credential.
awaitable<answer<schemas::me>> show(call& c);

/// Changes the caller's name, title, locale or time zone; responds as show() does.
awaitable<answer<schemas::me>> update(call& c, schemas::patch_me body);

/** Deletes the caller's account and all its credentials, and removes the user from past audit events.
    Requires the password. 409 while the user owns a workspace with other members. */
awaitable<answer<no_content>> remove(call& c, std::optional<schemas::account_deletion> body);

} // namespace handlers::profile
