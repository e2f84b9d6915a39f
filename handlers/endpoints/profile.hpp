// The caller's own profile.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
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

inline constexpr operation operations[] = {
    describes<&show>(tags::profile, "showMe", "Show the caller and its permissions",
                     "`user` is null for an API key of a workspace, and for one without `profile:read`.")
        .fails_with(codes::not_found),
    describes<&update>(tags::profile, "updateMe", "Change the name, title, locale or time zone")
        .fails_with(codes::forbidden, codes::not_found),
    describes<&remove>(tags::profile, "deleteMe", "Delete the account",
                       "Rejected while the account owns a workspace that has other members.")
        .fails_with(codes::forbidden, codes::invalid_credentials.with_status(403),
                    codes::reauthentication_required, codes::not_found, codes::owner_protected,
                    codes::last_admin),
};

} // namespace handlers::profile
