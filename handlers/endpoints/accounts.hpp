// Signing up and signing in.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/auth.hpp"

namespace handlers::accounts {

using signup_outcome = std::variant<schemas::signup_result, accepted, problem>;

/** Make a person, their workspace and its first session, all or nothing, and mail a link that verifies the
   address. 409 email_taken. An account that has not verified the same address makes room.

    Where verification is required there is no session yet, and the answer is 202 whether or not the address
   is known; whom it belongs to gets a mail instead. */
awaitable<signup_outcome> signup(call& c, schemas::signup body);

/** Open a session. An unknown address and a wrong password get the same answer in the same time. */
awaitable<answer<schemas::login_result>> login(call& c, schemas::login body);

} // namespace handlers::accounts
