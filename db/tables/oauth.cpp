#include "db/tables/oauth.hpp"

#include "db/postgres/columns.hpp"
#include "db/postgres/sqlstate.hpp"
#include "db/tables/row_locks.hpp"

namespace db::oauth {

static const statement insert_oauth_code{"oauth_insert_code", R"(
    INSERT INTO oauth_codes (digest, sealed, expires_at) VALUES ($1, $2, now() + $3 * interval '1 second'))"};

awaitable<void> insert_code(pool& db, digest code, std::vector<std::uint8_t> sealed, std::chrono::seconds ttl)
{
    co_await db.run(insert_oauth_code, code, sealed, ttl.count());
}

static const statement consume_oauth_code{"oauth_consume_code", R"(
    WITH consumed AS (DELETE FROM oauth_codes WHERE digest = $1 RETURNING sealed, expires_at)
    SELECT sealed FROM consumed WHERE expires_at > now())"};

awaitable<std::optional<std::vector<std::uint8_t>>> consume_code(pool& db, digest code)
{
    auto found = co_await db.run(consume_oauth_code, code);
    co_return found.as_optional<std::vector<std::uint8_t>>();
}

static const statement spend_oauth_state{"oauth_spend_state", R"(
    INSERT INTO oauth_spent_states (digest, expires_at) VALUES ($1, now() + $2 * interval '1 second')
    ON CONFLICT DO NOTHING)"};

awaitable<bool> spend_state(pool& db, digest state, std::chrono::seconds ttl)
{
    auto inserted = co_await db.run(spend_oauth_state, state, ttl.count());
    co_return inserted.affected() == 1;
}

static const statement list_grants{"oauth_list_grants", "SELECT " + columns<row>() + R"(
    FROM oauth_grants WHERE user_id = $1 ORDER BY provider, issuer)"};

awaitable<std::vector<row>> list(pool& db, uuid user_id)
{
    auto found = co_await db.run(list_grants, user_id);
    co_return found.as_vector<row>();
}

static const statement find_grant_user{"oauth_find_user", "SELECT " + columns<users::row>("u") + R"(
    FROM oauth_grants g JOIN users u ON u.id = g.user_id
    WHERE g.issuer = $1 AND g.subject = $2)"};

awaitable<std::optional<users::account>> find_account(pool& db, std::string issuer, std::string subject)
{
    auto found = co_await db.run(find_grant_user, issuer, subject);
    auto user = found.as_optional<users::row>();
    if (!user)
        co_return std::nullopt;
    co_return co_await users::with_login_workspace(db, std::move(*user));
}

static const statement upsert_oauth_grant{"oauth_upsert_grant",
                                          "SELECT upsert_oauth_grant($1, $2, $3, $4, $5, $6, $7)"};

void add_upsert(batch& work, const draft& grant)
{
    work.add(upsert_oauth_grant, grant.provider, grant.issuer, grant.subject, grant.user_id, grant.email,
             grant.sealed_tokens, grant.replaces_tokens);
}

bool was_linked_elsewhere(const failure& error)
{
    return error.sqlstate() == sqlstate::grant_linked_elsewhere ||
           error.is_unique_violation("oauth_grants_user_key");
}

bool was_outdated(const failure& error)
{
    return error.sqlstate() == sqlstate::account_changed ||
           error.sqlstate() == sqlstate::invalid_one_time_token;
}

static const statement delete_grant{"oauth_delete_grant", R"(
    WITH owner AS (SELECT id, password_hash IS NOT NULL AS has_password FROM users WHERE id = $2 FOR UPDATE),
    known AS (
        SELECT has_password FROM oauth_grants g JOIN owner ON owner.id = g.user_id WHERE g.provider = $3),
    deleted AS (
        DELETE FROM oauth_grants g USING owner
        WHERE g.user_id = owner.id AND g.provider = $3 AND owner.has_password
        RETURNING g.user_id),
    recorded AS (
        INSERT INTO audit
        SELECT event.* FROM (SELECT FROM deleted LIMIT 1) AS done, audit_event($1) AS event)
    SELECT CASE WHEN EXISTS (SELECT FROM deleted) THEN 'done'
                WHEN EXISTS (SELECT FROM known) THEN 'last_sign_in_method'
                ELSE 'unknown' END)"};

awaitable<removal> remove(pool& db, uuid user_id, std::string provider, audit::entry event)
{
    batch work;
    row_locks locks{.users = {user_id}, .user_strength = lock_strength::update};
    if (event.workspace_id)
        locks.workspaces.push_back(*event.workspace_id);
    add_locks(work, locks);
    work.add(delete_grant, audit::as_json(event), user_id, provider);
    auto answers = co_await db.run(std::move(work));
    co_return answers.last().scalar<removal>();
}

static const statement claim_due_revocations{"oauth_claim_revocations", R"(
    UPDATE oauth_revocations
    SET next_attempt_at = now() + $1 * interval '1 second'
    WHERE id IN (SELECT id FROM oauth_revocations WHERE next_attempt_at <= now()
                 ORDER BY next_attempt_at LIMIT $2 FOR UPDATE SKIP LOCKED)
    RETURNING id, provider, issuer, sealed_tokens, created_at)"};

awaitable<std::vector<revocation>> claim_revocations(pool& db, std::chrono::seconds wait, int limit)
{
    auto claimed = co_await db.run(claim_due_revocations, wait.count(), limit);
    co_return claimed.as_vector<revocation>();
}

static const statement delete_oauth_revocation{"oauth_delete_revocation",
                                               "DELETE FROM oauth_revocations WHERE id = $1"};

awaitable<void> delete_revocation(pool& db, uuid id)
{
    co_await db.run(delete_oauth_revocation, id);
}

} // namespace db::oauth
