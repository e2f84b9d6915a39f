// Signing in through a provider: who is who there, and what is under way.
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

// ---- codes: a sign-in on its way back

/// @param sealed what the exchange needs to know
awaitable<void> keep_code(pool& db, digest code, std::vector<std::uint8_t> sealed,
                          std::chrono::seconds lives);

/// Spend a code. @return what was kept with it; nothing if unknown, spent or expired
awaitable<std::optional<std::vector<std::uint8_t>>> take_code(pool& db, digest code);

// ---- grants: a person's account at a provider

struct row {
    std::string provider;
    std::string subject;
    std::string email;
    timestamp created_at;
    timestamp last_used_at;
};
BOOST_DESCRIBE_STRUCT(row, (), (provider, subject, email, created_at, last_used_at))

/// All of a person, by the provider's name.
awaitable<std::vector<row>> list(pool& db, uuid user_id);

/// Who signs in so, and the workspace it leads to; or nothing.
awaitable<std::optional<users::account>> find_account(pool& db, std::string provider, std::string subject);

struct draft {
    std::string_view provider;
    std::string_view subject;
    uuid user_id{};
    std::string_view email; ///< normalized
    std::span<const std::uint8_t> sealed_tokens;
    bool outlasts = false; ///< the tokens are good for longer than those before: they take their place
};

/** Link, or note another sign-in. Whoever is not linked yet must have the address of the draft. Answers one
   row of no interest. The batch fails with one of the two below. */
void add_put(batch& work, const draft& grant);

/// True if a batch failed because the person is linked to another account there, or that account to another
/// person.
bool was_linked_elsewhere(const failure& error);

/// True if a batch failed because the account has been disabled or has got another address meanwhile.
bool was_outdated(const failure& error);

BOOST_DEFINE_ENUM_CLASS(removal, done, unknown, last_way_in)

/** Unlink; what the provider let us do is given back in due course. Refused if the person has no password.
    @param event written if done */
awaitable<removal> remove(pool& db, uuid user_id, std::string provider, audit::entry event);

// ---- what is to be given back

struct revocation {
    uuid id{};
    std::string provider;
    std::vector<std::uint8_t> sealed_tokens;
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(revocation, (), (id, provider, sealed_tokens, created_at))

/// Those that are due, put off for `wait` in case this attempt comes to nothing.
awaitable<std::vector<revocation>> take_revocations(pool& db, std::chrono::seconds wait, int limit);

/// It has been given back, or never will be: forget it.
awaitable<void> settle_revocation(pool& db, uuid id);

} // namespace db::oauth
