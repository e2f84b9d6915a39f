// Tokens that travel by mail and are good for one thing, once: known here by their digest alone.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace db::one_time_tokens {

/// What a token is good for; in no other place does it count.
BOOST_DEFINE_ENUM_CLASS(purpose, verify_email, reset_password, change_email)

struct draft {
    uuid user_id{};
    one_time_tokens::purpose purpose{};
    db::digest digest{};
    std::string_view email; ///< the address that it is sent to
    timestamp expires_at;
};

/// The person's older token of this purpose, if there is one, is void from now on.
void add_replace(batch& work, const draft& token);

struct row {
    uuid user_id{};
    std::string email;
};
BOOST_DESCRIBE_STRUCT(row, (), (user_id, email))

/// Nothing if unknown, of another purpose, spent, replaced, expired, or sent to an address that the person
/// has left. It stays as good as it was.
awaitable<std::optional<row>> find(pool& db, db::digest digest, purpose what);

/** Spend it. The whole batch fails, with was_spent(), if it is no longer there: of two that come at the same
   time one wins. Answers one row of no interest. */
void add_spend(batch& work, const db::digest& digest, purpose what);

/// True if a batch failed because its token was spent, replaced or had expired.
bool was_spent(const failure& error);

/// Void all tokens of a person, or all of one purpose.
void add_void(batch& work, const uuid& user_id, std::optional<purpose> what = {});

} // namespace db::one_time_tokens
