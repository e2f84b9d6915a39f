// Email addresses: verified, and changed to another.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/account.hpp"

namespace handlers::email_address {

/// Consumes a token from an email: the address is verified. 400 invalid_token.
awaitable<answer<schemas::verified_email>> verify(call& c, schemas::email_token body);

/// Emails another link to an address, or to the caller's own. 202, whether or not there is anything to
/// verify.
awaitable<answer<no_content>> resend(call& c, std::optional<schemas::resend_verification> body);

/** Emails a link to the caller's new address, and a notice to the current one. 202, also if the address is
    taken; then its owner is notified instead. */
awaitable<answer<no_content>> change(call& c, schemas::email_change body);

/// Consumes the token of such a link: the account has the new address. 400 invalid_token, 409 email_taken.
awaitable<answer<schemas::verified_email>> confirm_change(call& c, schemas::email_token body);

} // namespace handlers::email_address
