// One-time tokens sent by email, each for one purpose. Only their digests are stored.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace db::one_time_tokens {

/// The operation that a token authorizes; it is valid for no other.
BOOST_DEFINE_ENUM_CLASS(purpose, verify_email, reset_password, change_email)

struct draft {
    uuid user_id{};
    one_time_tokens::purpose purpose{};
    db::digest digest{};

    /// The address that the token is sent to.
    std::string_view email;
    timestamp expires_at;
};

/// Stores a token and revokes the user's older one of the same purpose.
void add_replace(batch& work, const draft& token);

struct row {
    uuid user_id{};
    std::string email;
};
BOOST_DESCRIBE_STRUCT(row, (), (user_id, email))

/// Looks a token up without consuming it. Nothing if it is unknown, for another purpose, consumed, replaced,
/// expired, or sent to a previous address of the user.
awaitable<std::optional<row>> find(pool& db, db::digest digest, purpose expected);

/** Consumes a token. The batch fails with was_invalid() if it is no longer valid: of two concurrent uses one
    fails. Adds one result that the caller skips. */
void add_consume(batch& work, const db::digest& digest, purpose expected);

/// True if a batch failed because its token was consumed, replaced or had expired.
bool was_invalid(const failure& error);

/// Revokes all tokens of a user, or those of one purpose.
void add_revoke(batch& work, const uuid& user_id, std::optional<purpose> only = {});

} // namespace db::one_time_tokens
