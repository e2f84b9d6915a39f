// Passwords: forgotten, set anew, changed.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/account.hpp"

namespace handlers::passwords {

/** Mail a link by which a new password can be set: 202, whether or not the address is known. */
awaitable<answer<nothing>> forgot(call& c, schemas::forgotten_password body);

/** Spend the token of such a link: the password is the new one, the address is verified, and every session
   ends. API keys live on unless `revoke_api_keys` says otherwise, or the address had never been verified. A
   notice lists those that do. 400 invalid_token; 422 weak_password leaves the token as good as it was. */
awaitable<answer<nothing>> reset(call& c, schemas::password_reset body);

/** Replace the caller's password; their other sessions end. */
awaitable<answer<nothing>> change(call& c, schemas::password_change body);

} // namespace handlers::passwords
