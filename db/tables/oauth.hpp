// Sign-in through OpenID providers: pending sign-ins, links to provider accounts, and token revocations.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/tables/audit.hpp"
#include "db/tables/users.hpp"

#include <boost/describe/class.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace db::oauth {

// ---- codes: completed sign-ins not yet exchanged for a session

/// @param sealed the state that the exchange needs, encrypted
awaitable<void> insert_code(pool& db, digest code, std::vector<std::uint8_t> sealed,
                            std::chrono::seconds ttl);

/// Consumes a code. @return its state; nothing if it is unknown, consumed or expired
awaitable<std::optional<std::vector<std::uint8_t>>> consume_code(pool& db, digest code);

// ---- states: authorization requests that a callback has used

/** Marks a state as used. Of concurrent calls, on any node, one succeeds.
    @param ttl for which it is remembered; not shorter than the state is valid
    @return false if it was used before */
awaitable<bool> spend_state(pool& db, digest state, std::chrono::seconds ttl);

// ---- grants: links to a user's account at a provider

struct row {
    /// The name in the API.
    std::string provider;

    /// The `iss` of its tokens. Subjects are unique for an issuer.
    std::string issuer;
    std::string subject;
    std::string email;
    timestamp created_at;
    timestamp last_used_at;
};
BOOST_DESCRIBE_STRUCT(row, (), (provider, issuer, subject, email, created_at, last_used_at))

/// All grants of a user, ordered by provider and issuer.
awaitable<std::vector<row>> list(pool& db, uuid user_id);

/// The user linked to an identity, and the workspace that the login opens.
awaitable<std::optional<users::account>> find_account(pool& db, std::string issuer, std::string subject);

struct draft {
    std::string_view provider;
    std::string_view issuer;
    std::string_view subject;
    uuid user_id{};

    /// Normalized. Nothing: the provider has not verified it; only for an identity that is linked already.
    std::optional<std::string_view> email;
    std::span<const std::uint8_t> sealed_tokens;

    /// The tokens are valid for longer than the stored ones, and replace them.
    bool replaces_tokens = false;
};

/** Links an identity, or records another sign-in. A user without this link must have the address of the
    draft. Adds one result that the caller skips. The batch fails with one of the two below. */
void add_upsert(batch& work, const draft& grant);

/// True if a batch failed because the user is linked to another identity of the issuer, or that identity to
/// another user.
bool was_linked_elsewhere(const failure& error);

/// True if a batch failed because the user was disabled, proved or got another address in the meantime.
bool was_outdated(const failure& error);

BOOST_DEFINE_ENUM_CLASS(removal, done, unknown, last_sign_in_method)

/** Removes the links to a provider and queues the revocation of their tokens. Refused if the user has no
    password.
    @param event recorded if done */
awaitable<removal> remove(pool& db, uuid user_id, std::string provider, audit::entry event);

// ---- revocations: tokens to revoke at their provider

struct revocation {
    uuid id{};
    std::string provider;

    /// The only one that the tokens may be sent to.
    std::string issuer;
    std::vector<std::uint8_t> sealed_tokens;
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(revocation, (), (id, provider, issuer, sealed_tokens, created_at))

/// Claims due revocations and schedules their next attempt after `wait`, in case this one fails.
awaitable<std::vector<revocation>> claim_revocations(pool& db, std::chrono::seconds wait, int limit);

/// Deletes a revocation that succeeded, or never will.
awaitable<void> delete_revocation(pool& db, uuid id);

} // namespace db::oauth
