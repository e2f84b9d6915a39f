#include "db/tables/one_time_tokens.hpp"

#include "db/postgres/columns.hpp"

namespace db::one_time_tokens {

static const statement replace_token{"one_time_tokens_replace", R"(
    INSERT INTO one_time_tokens (user_id, purpose, digest, email, expires_at) VALUES ($1, $2, $3, $4, $5)
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

awaitable<std::optional<row>> find(pool& db, db::digest digest, purpose what)
{
    auto found = co_await db.run(find_token, digest, what);
    co_return found.as_optional<row>();
}

static const statement spend{"one_time_tokens_spend", "SELECT spend_token($1, $2)"};

void add_spend(batch& work, const db::digest& digest, purpose what)
{
    work.add(spend, digest, what);
}

bool was_spent(const failure& error)
{
    return error.sqlstate() == "LK002";
}

static const statement void_tokens{"one_time_tokens_void", R"(
    DELETE FROM one_time_tokens WHERE user_id = $1 AND ($2::text IS NULL OR purpose = $2))"};

void add_void(batch& work, const uuid& user_id, std::optional<purpose> what)
{
    work.add(void_tokens, user_id, what);
}

} // namespace db::one_time_tokens
