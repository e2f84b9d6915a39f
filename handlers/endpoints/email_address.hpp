// Mail addresses: proving that one is one's own, and moving to another.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/account.hpp"

namespace handlers::emails {

/** Spend a token out of a mail: the address is the account's own. 400 invalid_token. */
awaitable<answer<schemas::verified_email>> verify(call& c, schemas::mailed_token body);

/** Mail another link to an address, or to the caller's own: 202, whether or not there is anything to verify.
 */
awaitable<answer<nothing>> resend(call& c, std::optional<schemas::resend_verification> body);

/** Mail a link to an address that the caller wants to have, and tell the old one: 202, also if it is taken;
   then its owner is told instead. */
awaitable<answer<nothing>> change(call& c, schemas::email_change body);

/** Spend the token of such a link: the account has the new address. 400 invalid_token, 409 email_taken. */
awaitable<answer<schemas::verified_email>> confirm_change(call& c, schemas::mailed_token body);

} // namespace handlers::emails
