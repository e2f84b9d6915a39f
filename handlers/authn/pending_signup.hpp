// Pending sign-ups: where the address has to be verified first, the link in the email makes the account.
#pragma once

#include "db/tables/pending_signups.hpp"
#include "handlers/authn/new_account.hpp"
#include "handlers/authn/provider_login.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "schemas/engine/types.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace handlers {

/// The bucket of rate_limits::signup_account: of an address and a client, so that no client keeps others from
/// signing up with an address.
std::vector<std::uint8_t> signup_bucket(const call& c, std::string_view email_normalized);

/// Stores a sign-up, and emails its link.
/// @param sealed_login of an account that signs in through a provider, as seal_pending_login() returns it
awaitable<void> add_pending_signup(call& c, const new_account& account,
                                   std::optional<std::vector<std::uint8_t>> sealed_login = {});

/// Emails a new link for a sign-up. Its earlier link becomes invalid.
awaitable<void> resend_pending_signup(call& c, const db::pending_signups::row& signup);

/** Makes the account of a pending sign-up. Other sign-ups with the address lapse, and an account that was
    never proved is retired. With the password of the sign-up, or a sign-in with its identity at a provider,
    the account is proved; without, it is verified by the link alone.
    @return its address; 400 invalid_token if the token is of no sign-up or the address has a stronger
    account, 403 invalid_credentials for a wrong password, or 429 */
awaitable<result<std::string>> complete_pending_signup(call& c, const std::string& token,
                                                       std::optional<schemas::existing_password> password,
                                                       const std::optional<provider_login>& proof = {});

/// Ends a sign-up of another person with one's address. @return false if the token is of none
awaitable<bool> remove_pending_signup(call& c, const std::string& token);

} // namespace handlers
