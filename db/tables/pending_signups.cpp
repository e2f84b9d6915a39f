#include "db/tables/pending_signups.hpp"

#include "db/postgres/columns.hpp"

namespace db::pending_signups {

static const statement insert_signup{"pending_signups_insert", R"(
    INSERT INTO pending_signups (id, email, email_normalized, password_hash, name, workspace_name,
                                 signup_agent, sealed_login, digest, expires_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10))"};

void add_insert(batch& work, const row& signup, const digest& token, timestamp expires_at)
{
    work.add(insert_signup, signup.id, signup.email, signup.email_normalized, signup.password_hash,
             signup.name, signup.workspace_name, signup.signup_agent, signup.sealed_login, token, expires_at);
}

static const statement find_signup{"pending_signups_find", "SELECT " + columns<row>() + R"(
    FROM pending_signups WHERE digest = $1 AND expires_at > now())"};

awaitable<std::optional<row>> find(pool& db, digest token)
{
    auto found = co_await db.run(find_signup, token);
    co_return found.as_optional<row>();
}

static const statement find_recent_signups{"pending_signups_find_recent", "SELECT " + columns<row>() + R"(
    FROM pending_signups WHERE email_normalized = $1 AND expires_at > now()
    ORDER BY id DESC LIMIT 5)"};

awaitable<std::vector<row>> find_recent(pool& db, std::string email_normalized)
{
    auto found = co_await db.run(find_recent_signups, email_normalized);
    co_return found.as_vector<row>();
}

static const statement renew_signup{"pending_signups_renew", R"(
    UPDATE pending_signups SET digest = $2, expires_at = $3 WHERE id = $1)"};

void add_renew(batch& work, const uuid& id, const digest& token, timestamp expires_at)
{
    work.add(renew_signup, id, token, expires_at);
}

static const statement consume_signup{"pending_signups_consume", "SELECT consume_pending_signup($1)"};

void add_consume(batch& work, const digest& token)
{
    work.add(consume_signup, token);
}

static const statement remove_signup{"pending_signups_remove",
                                     "DELETE FROM pending_signups WHERE digest = $1 AND expires_at > now()"};

awaitable<bool> remove(pool& db, digest token)
{
    auto removed = co_await db.run(remove_signup, token);
    co_return removed.affected() == 1;
}

} // namespace db::pending_signups
