// Signing up and signing in.
#pragma once

#include "handlers/endpoint.hpp"
#include "schemas/auth.hpp"

namespace handlers::accounts {

/** Make a person, their workspace and its first session, all or nothing. 409 email_taken. */
awaitable<answer<schemas::signup_result>> signup(call& c, schemas::signup body);

/** Open a session. An unknown address and a wrong password get the same answer in the same time. */
awaitable<answer<schemas::login_result>> login(call& c, schemas::login body);

} // namespace handlers::accounts
