// Passwords: reset by email, and changed.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
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

inline constexpr operation operations[] = {
    describes<&forgot>(tags::email_and_passwords, "forgotPassword", "Request an email to reset the password",
                       "Always 202: the answer does not disclose whether the address is known."),
    describes<&reset>(
        tags::email_and_passwords, "resetPassword", "Set a new password with the token of an email",
        "Ends every session of the account and, with `revoke_api_keys`, its API keys. An account that was "
        "never proved is replaced by a new one, unless the request has its `current_password` or session.")
        .fails_with(codes::invalid_token, codes::invalid_credentials.with_status(403), codes::weak_password),
    describes<&change>(tags::email_and_passwords, "changePassword", "Change the password",
                       "Ends the account's other sessions.")
        .fails_with(codes::forbidden, codes::invalid_credentials.with_status(403),
                    codes::reauthentication_required, codes::not_found, codes::weak_password),
};

} // namespace handlers::passwords
