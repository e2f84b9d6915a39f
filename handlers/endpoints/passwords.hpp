// Passwords: reset by email, and changed.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/account.hpp"

namespace handlers::passwords {

/// Emails a link to set a new password. 202, whether or not the address has an account.
awaitable<answer<no_content>> forgot(call& c, schemas::forgotten_password body);

/** Consumes the token of such a link: sets the password, verifies the address, and ends every session. API
    keys stay valid unless `revoke_api_keys` is set or the address had never been verified; a notice lists
    those that do. 400 invalid_token. 422 weak_password does not consume the token. */
awaitable<answer<no_content>> reset(call& c, schemas::password_reset body);

/// Replaces the caller's password and ends their other sessions.
awaitable<answer<no_content>> change(call& c, schemas::password_change body);

} // namespace handlers::passwords
