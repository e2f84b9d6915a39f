// Accounts: sign-up and login.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/auth.hpp"

#include <variant>

namespace handlers::accounts {

using signup_outcome = std::variant<schemas::signup_result, accepted, problem>;

/** Creates a user, their workspace and its first session in one transaction, and emails a link that verifies
    the address. 409 email_taken, whether or not the other account has verified the address.

    Where verification is required the sign-up is pending until its link is opened, and the response is 202
    whether or not the address is taken; its owner gets an email instead. */
awaitable<signup_outcome> signup(call& c, schemas::signup body);

/// Opens a session. An unknown address and a wrong password get the same response in the same time.
awaitable<answer<schemas::login_result>> login(call& c, schemas::login body);

inline constexpr operation operations[] = {
    describes<&signup>(
        tags::accounts, "signUp", "Create an account with its workspace",
        "Emails a link that verifies the address. Where verification is required, the answer is 202 whether "
        "or not the address is known.")
        .fails_with(codes::email_taken, codes::weak_password),
    describes<&login>(tags::accounts, "logIn", "Log in with a password",
                      "An unknown address and a wrong password get the same answer in the same time.")
        .fails_with(codes::invalid_credentials, codes::account_disabled, codes::email_not_verified),
};

} // namespace handlers::accounts
