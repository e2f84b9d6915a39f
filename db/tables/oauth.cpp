#include "db/tables/oauth.hpp"

#include "db/postgres/columns.hpp"

namespace db::oauth {

static const statement insert_code{"oauth_insert_code", R"(
    INSERT INTO oauth_codes (digest, sealed, expires_at) VALUES ($1, $2, now() + $3 * interval '1 second'))"};

awaitable<void> keep_code(pool& db, digest code, std::vector<std::uint8_t> sealed, std::chrono::seconds lives)
{
    co_await db.run(insert_code, code, sealed, lives.count());
}

static const statement delete_code{"oauth_delete_code", R"(
    WITH spent AS (DELETE FROM oauth_codes WHERE digest = $1 RETURNING sealed, expires_at)
    SELECT sealed FROM spent WHERE expires_at > now())"};

awaitable<std::optional<std::vector<std::uint8_t>>> take_code(pool& db, digest code)
{
    auto found = co_await db.run(delete_code, code);
    co_return found.as_optional<std::vector<std::uint8_t>>();
}

static const statement list_grants{"oauth_list_grants", "SELECT " + columns<row>() + R"(
    FROM oauth_grants WHERE user_id = $1 ORDER BY provider)"};

awaitable<std::vector<row>> list(pool& db, uuid user_id)
{
    auto found = co_await db.run(list_grants, user_id);
    co_return found.as_vector<row>();
}

static const statement find_grant_user{"oauth_find_user", "SELECT " + columns<users::row>("u") + R"(
    FROM oauth_grants g JOIN users u ON u.id = g.user_id
    WHERE g.provider = $1 AND g.subject = $2)"};

awaitable<std::optional<users::account>> find_account(pool& db, std::string provider, std::string subject)
{
    auto found = co_await db.run(find_grant_user, provider, subject);
    auto user = found.as_optional<users::row>();
    if (!user)
        co_return std::nullopt;
    co_return co_await users::with_place(db, std::move(*user));
}

static const statement put_grant{"oauth_put_grant", "SELECT put_grant($1, $2, $3, $4, $5, $6)"};

void add_put(batch& work, const draft& grant)
{
    work.add(put_grant, grant.provider, grant.subject, grant.user_id, grant.email, grant.sealed_tokens,
             grant.outlasts);
}

bool was_linked_elsewhere(const failure& error)
{
    return error.sqlstate() == "LK005" || error.is_unique_violation("oauth_grants_user_key");
}

bool was_outdated(const failure& error)
{
    return error.sqlstate() == "LK004";
}

static const statement delete_grant{"oauth_delete_grant", R"(
    WITH person AS (SELECT id, password_hash IS NOT NULL AS has_password FROM users WHERE id = $2 FOR UPDATE),
    known AS (SELECT has_password FROM oauth_grants g JOIN person ON person.id = g.user_id WHERE g.provider = $3),
    gone AS (
        DELETE FROM oauth_grants g USING person
        WHERE g.user_id = person.id AND g.provider = $3 AND person.has_password
        RETURNING g.user_id),
    noted AS (INSERT INTO audit SELECT event.* FROM gone, audit_event($1) AS event)
    SELECT CASE WHEN EXISTS (SELECT FROM gone) THEN 'done'
                WHEN EXISTS (SELECT FROM known) THEN 'last_way_in'
                ELSE 'unknown' END)"};

awaitable<removal> remove(pool& db, uuid user_id, std::string provider, audit::entry event)
{
    auto outcome = co_await db.run(delete_grant, audit::as_json(event), user_id, provider);
    co_return outcome.scalar<removal>();
}

static const statement take_due_revocations{"oauth_take_revocations", R"(
    UPDATE oauth_revocations
    SET next_attempt_at = now() + $1 * interval '1 second'
    WHERE id IN (SELECT id FROM oauth_revocations WHERE next_attempt_at <= now()
                 ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING id, provider, sealed_tokens, created_at)"};

awaitable<std::vector<revocation>> take_revocations(pool& db, std::chrono::seconds wait, int limit)
{
    auto taken = co_await db.run(take_due_revocations, wait.count(), limit);
    co_return taken.as_vector<revocation>();
}

static const statement delete_revocation{"oauth_delete_revocation",
                                         "DELETE FROM oauth_revocations WHERE id = $1"};

awaitable<void> settle_revocation(pool& db, uuid id)
{
    co_await db.run(delete_revocation, id);
}

} // namespace db::oauth
