#include "db/tables/one_time_tokens.hpp"

#include "db/postgres/columns.hpp"
#include "db/postgres/sqlstate.hpp"

namespace db::one_time_tokens {

// Lock order: the user before the token. Nothing is inserted for a user deleted concurrently.
static const statement replace_token{"one_time_tokens_replace", R"(
    INSERT INTO one_time_tokens (user_id, purpose, digest, email, expires_at)
    SELECT id, $2, $3, $4, $5 FROM users WHERE id = $1 FOR KEY SHARE
    ON CONFLICT (user_id, purpose) DO UPDATE
    SET digest = excluded.digest, email = excluded.email, expires_at = excluded.expires_at)"};

void add_replace(batch& work, const draft& token)
{
    work.add(replace_token, token.user_id, token.purpose, token.digest, token.email, token.expires_at);
}

static const statement find_token{"one_time_tokens_find", "SELECT " + columns<row>("t") + R"(
    FROM one_time_tokens t JOIN users u ON u.id = t.user_id
    WHERE t.digest = $1 AND t.purpose = $2 AND t.expires_at > now()
      AND (t.purpose = 'change_email' OR t.email = u.email))"};

awaitable<std::optional<row>> find(pool& db, db::digest digest, purpose expected)
{
    auto found = co_await db.run(find_token, digest, expected);
    co_return found.as_optional<row>();
}

static const statement consume_token{"one_time_tokens_consume", "SELECT consume_one_time_token($1, $2)"};

void add_consume(batch& work, const db::digest& digest, purpose expected)
{
    work.add(consume_token, digest, expected);
}

bool was_invalid(const failure& error)
{
    return error.sqlstate() == sqlstate::invalid_one_time_token;
}

static const statement revoke_tokens{"one_time_tokens_revoke", R"(
    DELETE FROM one_time_tokens WHERE user_id = $1 AND ($2::text IS NULL OR purpose = $2))"};

void add_revoke(batch& work, const uuid& user_id, std::optional<purpose> only)
{
    work.add(revoke_tokens, user_id, only);
}

} // namespace db::one_time_tokens
