// Pending sign-ups: accounts that come to be when the link in their email is opened.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db::pending_signups {

struct row {
    uuid id{};
    std::string email;
    std::string email_normalized;

    /// Nothing: signs in through a provider.
    std::optional<std::string> password_hash;
    std::optional<std::string> name;
    std::optional<std::string> workspace_name;

    /// As users::row::signup_agent.
    std::string signup_agent;

    /// The identity at a provider, encrypted; nothing for a sign-up with a password.
    std::optional<std::vector<std::uint8_t>> sealed_login;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, email, email_normalized, password_hash, name, workspace_name, signup_agent,
                       sealed_login))

void add_insert(batch& work, const row& signup, const digest& token, timestamp expires_at);

/// Nothing if the token is unknown, consumed or expired.
awaitable<std::optional<row>> find(pool& db, digest token);

/// The newest five with an address.
awaitable<std::vector<row>> find_recent(pool& db, std::string email_normalized);

/// Replaces the token of one.
void add_renew(batch& work, const uuid& id, const digest& token, timestamp expires_at);

/** Consumes one, and ends all others of its address. The batch fails with one_time_tokens::was_invalid() if
    it is no longer valid: of two concurrent ones, one fails. Adds one result that the caller skips. */
void add_consume(batch& work, const digest& token);

/// Ends one, and no other.
awaitable<bool> remove(pool& db, digest token);

} // namespace db::pending_signups
