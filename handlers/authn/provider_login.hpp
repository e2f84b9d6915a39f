// Provider logins: a person that an OpenID provider has authenticated, on the way to an account.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/oidc/provider.hpp"
#include "handlers/oidc/provider_identity.hpp"
#include "handlers/oidc/provider_tokens.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace handlers {

/// The name of the configured provider in paths, grants and audit events.
inline constexpr std::string_view provider_id = "google";

/// Of a proof by another identity than the account's.
inline constexpr std::string_view other_identity = "The sign-in was with another account of the provider.";

/// An authenticated person, with the tokens that the provider granted for them.
struct provider_login {
    /// Of the client's code verifier (RFC 7636, section 4.2).
    std::string code_challenge;
    std::string issuer;
    std::string subject;
    /// Empty unless the provider has verified it.
    std::string email;
    std::string hosted_domain;
    std::string name;
    provider_tokens tokens;
};
BOOST_DESCRIBE_STRUCT(provider_login, (),
                      (code_challenge, issuer, subject, email, hosted_domain, name, tokens))

provider_login to_provider_login(oidc_login login, std::string issuer, std::string code_challenge);

provider_identity identity_of(const provider_login& login);

/// S256 (RFC 7636, section 4.2).
std::string challenge_of(std::string_view verifier);

/// Stores a login under a new code, which is valid once, for a minute. @return the code
awaitable<std::string> store_login(call& c, provider_login login);

/// The login stored under a code, if the verifier matches its challenge. Consumes the code.
awaitable<std::optional<provider_login>> take_login(call& c, std::string code, std::string code_verifier);

/// A login as a pending sign-up keeps it.
std::vector<std::uint8_t> seal_pending_login(const context& cx, const provider_login& login);
std::optional<provider_login> open_pending_login(const context& cx, std::span<const std::uint8_t> sealed);

/// The provider's name of the person, if it meets the rules of this server.
std::optional<std::string> valid_name(const provider_login& login);

/// Links the user to the identity, or records another sign-in with it. The transaction fails with
/// db::oauth::was_linked_elsewhere() or was_outdated().
void add_grant(unit_of_work& tx, const context& cx, const db::uuid& user, const provider_login& login);

} // namespace handlers
