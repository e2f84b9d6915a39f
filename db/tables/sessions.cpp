#include "db/tables/sessions.hpp"

#include "db/postgres/columns.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/keyset_pagination.hpp"
#include "db/tables/row_locks.hpp"

namespace db::sessions {

// The lock on the user orders this against a password change and against disabling the account.
static const statement insert_session{"sessions_insert", R"(
    INSERT INTO sessions (id, user_id, workspace_id, refresh_salt, refreshed_ip, refreshed_agent, ip,
                          user_agent, expires_at, cookie_digest, created_at)
    VALUES ($1,
            (SELECT id FROM users WHERE id = $2 AND password_version = $3 AND disabled_at IS NULL
             FOR NO KEY UPDATE),
            $4, CASE WHEN $9::bytea IS NULL THEN $5::bytea END, $6, $7, $6, $7, $8, $9,
            coalesce($10, now())))"};

void add_insert(batch& work, const draft& session)
{
    work.add(insert_session, session.id, session.user_id, session.password_version, session.workspace_id,
             session.salt, session.ip, session.user_agent, session.expires_at, session.cookie_digest,
             session.created_at);
}

bool was_outdated(const failure& error)
{
    return error.constraint() == "sessions_user_required";
}

namespace {

/// When a session ends without being revoked. @param max_age the parameter with its maximum age in seconds
std::string end_of_session(const std::string& max_age)
{
    return "least(s.expires_at, s.created_at + " + max_age + " * interval '1 second')";
}

} // namespace

static const statement find_session_salt{"sessions_find_salt", R"(
    SELECT refresh_salt FROM sessions
    WHERE id = $1 AND refresh_salt IS NOT NULL AND revoked_at IS NULL AND expires_at > now())"};

awaitable<std::optional<std::vector<std::uint8_t>>> find_refresh_salt(pool& db, uuid id)
{
    auto found = co_await db.run(find_session_salt, id);
    co_return found.as_optional<std::vector<std::uint8_t>>();
}

static const statement find_any_session_salt{
    "sessions_find_any_salt", "SELECT refresh_salt FROM sessions WHERE id = $1 AND refresh_salt IS NOT NULL"};

awaitable<std::optional<std::vector<std::uint8_t>>> find_salt(pool& db, uuid id)
{
    auto found = co_await db.run(find_any_session_salt, id);
    co_return found.as_optional<std::vector<std::uint8_t>>();
}

// A statement that waited for the row's lock evaluates every expression on the row as the other one left it
// (PostgreSQL, 13.2.1 Read Committed). A counter above the row's is of a token issued before a restore.
static const statement refresh_session{"sessions_refresh", R"(
    WITH refreshed AS (
        UPDATE sessions s
        SET refresh_counter = CASE WHEN refresh_counter = $2 THEN refresh_counter + 1
                                   ELSE refresh_counter END,
            refreshed_at    = CASE WHEN refresh_counter = $2 THEN now() ELSE refreshed_at END,
            refreshed_ip    = CASE WHEN refresh_counter = $2 THEN $3 ELSE refreshed_ip END,
            refreshed_agent = CASE WHEN refresh_counter = $2 THEN $4 ELSE refreshed_agent END,
            expires_at      = CASE WHEN refresh_counter = $2
                                   THEN least($5, created_at + $8 * interval '1 second')
                                   ELSE expires_at END,
            last_seen_at    = greatest(last_seen_at, now()),
            revoked_at      = CASE WHEN refresh_counter = $2 THEN NULL
                                   WHEN refresh_counter = $2 + 1
                                        AND refreshed_at > now() - $6 * interval '1 second'
                                        AND (refreshed_ip = $3 OR refreshed_agent = $4) THEN NULL
                                   ELSE now() END
        WHERE id = $1 AND refresh_counter >= $2 AND revoked_at IS NULL
          AND )" + end_of_session("$8") + R"( > now()
        RETURNING id, user_id, workspace_id, refresh_counter AS counter,
                  )" + end_of_session("$8") + R"( AS expires_at,
                  CASE WHEN revoked_at IS NULL THEN 'renewed' ELSE 'reused' END AS outcome),
    recorded AS (
        INSERT INTO audit
        SELECT event.*
        FROM refreshed,
             audit_event($7 || jsonb_build_object('workspace_id', workspace_id, 'actor_id', user_id,
                                                  'credential_id', refreshed.id,
                                                  'target', refreshed.id)) AS event
        WHERE outcome = 'reused')
    SELECT outcome, counter, expires_at FROM refreshed)"};

// With $2, moves the session to a default workspace if its user is not a member of the current one, which a
// session created concurrently with a removal may refer to.
static const statement lock_session{"sessions_lock", "SELECT lock_session($1, $2)"};

static const statement find_session_user{"sessions_find_user", "SELECT " + columns<users::row>("u") + R"(
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.id = $1 AND s.revoked_at IS NULL)"};

static const statement find_session_membership{"sessions_find_membership",
                                               memberships::select_workspace_membership() + R"(
    FROM sessions s
    JOIN memberships m ON m.workspace_id = coalesce($2, s.workspace_id) AND m.user_id = s.user_id
    JOIN workspaces w ON w.id = m.workspace_id
    WHERE s.id = $1 AND s.revoked_at IS NULL)"};

namespace {

struct refreshed_row {
    refresh_outcome outcome = refresh_outcome::gone;
    std::int64_t counter = 0;
    timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(refreshed_row, (), (outcome, counter, expires_at))

invalidation of_session(const uuid& id)
{
    invalidation affected;
    affected.credentials.push_back(id);
    return affected;
}

invalidation of_user(const uuid& id)
{
    invalidation affected;
    affected.users.push_back(id);
    return affected;
}

} // namespace

awaitable<refresh_result> refresh(transaction tx, refresh_request token)
{
    audit::entry event;
    event.id = token.audit_id;
    event.action = "session.reuse";
    event.ip = token.ip;
    event.user_agent = token.user_agent;
    event.request_id = token.request_id;

    auto& work = tx.work();
    work.add(lock_session, token.id, true);
    auto at = work.size();
    work.add(refresh_session, token.id, token.counter, token.ip, token.user_agent, token.new_expiry,
             token.grace.count(), audit::as_json(event), token.max_age.count());
    work.add(find_session_user, token.id);
    work.add(find_session_membership, token.id, token.workspace_id);
    auto ended = [id = token.id, at](const results& answers) {
        auto row = answers[at].as_optional<refreshed_row>();
        return row && row->outcome == refresh_outcome::reused ? of_session(id) : invalidation();
    };
    auto answers = co_await tx.commit(of_session(token.id), std::move(ended));

    refresh_result out;
    auto row = answers[at].as_optional<refreshed_row>();
    if (!row)
        co_return out;
    out.outcome = row->outcome;
    out.counter = row->counter;
    out.expires_at = row->expires_at;
    if (auto user = answers[at + 1].as_optional<users::row>())
        out.account =
            users::account{std::move(*user), memberships::read_workspace_membership(answers[at + 2])};
    co_return out;
}

static const statement session_can_switch_to{"sessions_can_switch_to", rows::of_one_workspace, R"(
    SELECT EXISTS (SELECT FROM sessions s JOIN memberships m ON m.user_id = s.user_id
                   WHERE s.id = $1 AND m.workspace_id = $2 AND s.revoked_at IS NULL))"};

awaitable<bool> can_switch_to(pool& db, uuid id, uuid workspace_id)
{
    auto answer = co_await db.run_in_workspace(workspace_id, session_can_switch_to, id, workspace_id);
    co_return answer.scalar<bool>();
}

static const statement switch_session_to{"sessions_switch_to", rows::of_one_workspace, R"(
    WITH membership AS (
        SELECT workspace_id FROM memberships WHERE workspace_id = $4 AND user_id = $3),
    switched AS (
        UPDATE sessions s SET workspace_id = m.workspace_id FROM membership m
        WHERE s.id = $2 AND s.user_id = $3 AND s.revoked_at IS NULL
        RETURNING s.user_id, s.workspace_id, )" + end_of_session("$5") + R"( AS session_expires),
    remembered AS (
        UPDATE users u SET last_workspace_id = switched.workspace_id FROM switched
        WHERE u.id = switched.user_id AND u.last_workspace_id IS DISTINCT FROM switched.workspace_id),
    recorded AS (INSERT INTO audit SELECT event.* FROM switched, audit_event($1) AS event)
    SELECT session_expires FROM switched)"};

awaitable<std::optional<switched_session>> switch_to(pool& db, uuid id, uuid user_id, uuid workspace_id,
                                                     std::chrono::seconds max_age, audit::entry event)
{
    batch work;
    work.in_workspace(workspace_id);
    // A removal of the member waits for the workspace, and then resets the session.
    row_locks locks{.workspaces = {workspace_id}, .workspace_strength = lock_strength::share};
    locks.users.push_back(user_id);
    add_locks(work, locks);
    auto at = work.size();
    work.add(switch_session_to, audit::as_json(event), id, user_id, workspace_id, max_age.count());
    memberships::add_find(work, workspace_id, user_id);
    auto answers = co_await db.run(std::move(work));
    auto expires = answers[at].as_optional<timestamp>();
    auto opened = memberships::read_workspace_membership(answers.last());
    if (!expires || !opened)
        co_return std::nullopt;
    co_return switched_session{std::move(opened), *expires};
}

static const statement find_session_created_at{
    "sessions_find_created_at", "SELECT created_at FROM sessions WHERE id = $1 AND revoked_at IS NULL"};

awaitable<std::optional<timestamp>> find_created_at(pool& db, uuid id)
{
    auto found = co_await db.run(find_session_created_at, id);
    co_return found.as_optional<timestamp>();
}

static const statement list_sessions{"sessions_list", R"(
    SELECT id, workspace_id, created_at, last_seen_at, expires_at, ip, user_agent,
           CASE WHEN cookie_digest IS NULL THEN 'token' ELSE 'browser' END AS kind
    FROM sessions s
    WHERE user_id = $1 AND id < $2
      AND revoked_at IS NULL AND )" + end_of_session("$4") +
                                                          R"( > now()
    ORDER BY id DESC
    LIMIT $3)"};

static const statement count_sessions{"sessions_count", R"(
    SELECT count(*) FROM sessions s
    WHERE user_id = $1 AND revoked_at IS NULL AND )" + end_of_session("$2") +
                                                            " > now()"};

awaitable<page> list(pool& db, uuid user_id, std::chrono::seconds max_age, std::optional<uuid> before,
                     int limit)
{
    batch work;
    work.add(list_sessions, user_id, before.value_or(max_uuid), limit, max_age.count());
    work.add(count_sessions, user_id, max_age.count());
    auto found = co_await db.run(std::move(work));
    co_return page{found.first().as_vector<row>(), found.last().scalar<std::int64_t>()};
}

static const statement revoke_session{"sessions_revoke", R"(
    WITH revoked AS (
        UPDATE sessions SET revoked_at = now() WHERE id = $2 AND user_id = $3 AND revoked_at IS NULL
        RETURNING id)
    INSERT INTO audit SELECT event.* FROM revoked, audit_event($1) AS event)"};

static const statement end_session{"sessions_end", R"(
    WITH revoked AS (
        UPDATE sessions SET revoked_at = now() WHERE id = $2 AND revoked_at IS NULL
        RETURNING user_id, workspace_id)
    INSERT INTO audit
    SELECT event.*
    FROM revoked, audit_event($1 || jsonb_build_object('actor_id', user_id, 'credential_id', $2,
                                                       'workspace_id', revoked.workspace_id)) AS event)"};

awaitable<void> end(transaction tx, uuid id, audit::entry event)
{
    auto& work = tx.work();
    work.add(lock_session, id, false);
    work.add(end_session, audit::as_json(event), id);
    locked_rows rows{.session = id}; // lock_session also checks that the session was not switched
    auto affected = of_session(id);
    co_await tx.commit_in_group(std::move(rows), std::move(affected));
}

static const statement session_exists{"sessions_exists", R"(
    SELECT EXISTS (SELECT FROM sessions WHERE id = $1 AND user_id = $2))"};

awaitable<bool> revoke(transaction tx, uuid id, uuid user_id, audit::entry event)
{
    auto& work = tx.work();
    work.add(revoke_session, audit::as_json(event), id, user_id);
    work.add(session_exists, id, user_id);
    locked_rows rows{
        .workspace = event.workspace_id, .session = id, .lock_statement = &lock_rows_statement()};
    auto affected = of_session(id);
    auto answers = co_await tx.commit_in_group(std::move(rows), std::move(affected));
    co_return answers.last().scalar<bool>();
}

static const statement revoke_other_sessions{"sessions_revoke_others", R"(
    WITH locked AS (
        SELECT id FROM sessions WHERE user_id = $1 AND id <> $2 AND revoked_at IS NULL
        ORDER BY id FOR NO KEY UPDATE)
    UPDATE sessions SET revoked_at = now() WHERE id IN (SELECT id FROM locked) RETURNING id)"};

void add_revoke_others(batch& work, const uuid& user_id, const uuid& keep)
{
    work.add(revoke_other_sessions, user_id, keep);
}

awaitable<std::vector<uuid>> revoke_others(transaction tx, uuid user_id, uuid keep, audit::entry event)
{
    auto& work = tx.work();
    auto at = work.size();
    add_revoke_others(work, user_id, keep);
    audit::add(work, event);
    auto answers = co_await tx.commit(of_user(user_id));
    co_return answers[at].as_vector<uuid>();
}

static const statement revoke_all_sessions{"sessions_revoke_all", R"(
    WITH locked AS (
        SELECT id FROM sessions WHERE user_id = $1 AND revoked_at IS NULL ORDER BY id FOR NO KEY UPDATE)
    UPDATE sessions SET revoked_at = now() WHERE id IN (SELECT id FROM locked) RETURNING id)"};

void add_revoke_all(batch& work, const uuid& user_id)
{
    work.add(revoke_all_sessions, user_id);
}

} // namespace db::sessions
