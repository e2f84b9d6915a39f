// Provider accounts: the account that a sign-in through an OpenID provider leads to.
#pragma once

#include "db/tables/accounts.hpp"
#include "handlers/authn/provider_login.hpp"
#include "handlers/http/problem.hpp"

#include <optional>
#include <string>

namespace handlers {

/// What is known of the account before the provider has said who signs in. By default nothing.
struct expected_account {
    /// The only account that the sign-in may lead to.
    std::optional<db::uuid> user;
    /// Its address, normalized; empty: any.
    std::string email;
    /// An account that the browser is signed in to. No other one replaces it.
    std::optional<db::uuid> signed_in;
};

/** The account to sign in to: the one that the identity is linked to, or the one that the sign-in links or
    creates; next_step() decides which. A session in the request counts if it is of the account with the
    identity's address, and is ignored otherwise. The owner of an existing account gets an email when an
    identity is linked to it.
    @return 409 link_required if only a session of the account may link the identity, 403
    reauthentication_required if that session is older than five minutes, 403 email_not_verified if the
    account waits for the link in an email, 403 account_disabled, 409 conflict; 403 wrong_account, without any
    change, if it would be another account than the expected one */
awaitable<result<db::users::account>> find_or_create_account(call& c, provider_login login,
                                                             expected_account expected = {});

} // namespace handlers
