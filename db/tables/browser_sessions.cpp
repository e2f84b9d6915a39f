#include "db/tables/browser_sessions.hpp"

#include "db/postgres/columns.hpp"

#include <string>

namespace db::browser_sessions {

namespace {

/// When a session ends without being revoked. @param max_age the parameter with its maximum age in seconds
std::string end_of_session(const std::string& max_age)
{
    return "least(s.expires_at, s.created_at + " + max_age + " * interval '1 second')";
}

/// The columns of `row`. @param max_age as above
std::string session_columns(const std::string& max_age)
{
    return "s.id, s.user_id, s.workspace_id, s.created_at, " + end_of_session(max_age) + " AS expires_at";
}

std::string is_alive(const std::string& max_age)
{
    return "s.cookie_digest = $1 AND s.revoked_at IS NULL AND " + end_of_session(max_age) + " > now()";
}

} // namespace

static const statement find_any_session{"browser_sessions_find_any", "SELECT " + columns<row>() + R"(
    FROM sessions WHERE cookie_digest = $1)"};

awaitable<std::optional<row>> find_any(pool& db, digest cookie)
{
    auto found = co_await db.run(find_any_session, cookie);
    co_return found.as_optional<row>();
}

static const statement find_session{"browser_sessions_find", "SELECT " + session_columns("$2") + R"(
    FROM sessions s WHERE )" + is_alive("$2")};

static const statement find_user{"browser_sessions_find_user", "SELECT " + columns<users::row>("u") + R"(
    FROM sessions s JOIN users u ON u.id = s.user_id
    WHERE s.cookie_digest = $1 AND s.revoked_at IS NULL)"};

static const statement find_workspaces{"browser_sessions_find_workspaces",
                                       memberships::select_workspace_membership() + R"(
    FROM sessions s JOIN memberships m ON m.user_id = s.user_id JOIN workspaces w ON w.id = m.workspace_id
    WHERE s.cookie_digest = $1 AND s.revoked_at IS NULL
    ORDER BY m.joined_at, w.id)"};

awaitable<std::optional<loaded>> find(pool& db, digest cookie, std::chrono::seconds max_age)
{
    batch work;
    work.add(find_session, cookie, max_age.count());
    work.add(find_user, cookie);
    work.add(find_workspaces, cookie);
    auto found = co_await db.run(std::move(work));
    auto session = found[0].as_optional<row>();
    auto user = found[1].as_optional<users::row>();
    if (!session || !user)
        co_return std::nullopt;
    co_return loaded{*session, std::move(*user), memberships::read_workspace_memberships(found[2])};
}

// Under the row's lock, so that a revocation waits, or is waited for.
static const statement renew_session{"browser_sessions_renew", R"(
    UPDATE sessions s
    SET last_seen_at = greatest(s.last_seen_at, now()),
        expires_at = least($2, s.created_at + $3 * interval '1 second')
    WHERE )" + is_alive("$3") + R"(
    RETURNING )" + session_columns("$3")};

// The order of a login (users::find_for_login) after the session's own workspace.
static const statement find_membership{"browser_sessions_find_membership",
                                       memberships::select_workspace_membership() + R"(
    FROM sessions s JOIN users u ON u.id = s.user_id
    JOIN memberships m ON m.user_id = s.user_id JOIN workspaces w ON w.id = m.workspace_id
    WHERE s.cookie_digest = $1 AND s.revoked_at IS NULL AND m.workspace_id = coalesce($2, m.workspace_id)
    ORDER BY w.id = s.workspace_id DESC, w.id = u.last_workspace_id DESC, m.joined_at, w.id
    LIMIT 1)"};

awaitable<std::optional<renewed>> renew(pool& db, renewal use)
{
    batch work;
    work.add(renew_session, use.cookie, use.new_expiry, use.max_age.count());
    work.add(find_user, use.cookie);
    work.add(find_membership, use.cookie, use.workspace_id);
    auto done = co_await db.run(std::move(work));
    auto session = done[0].as_optional<row>();
    auto user = done[1].as_optional<users::row>();
    if (!session || !user)
        co_return std::nullopt;
    users::account account{std::move(*user), memberships::read_workspace_membership(done[2])};
    co_return renewed{*session, std::move(account)};
}

// Switched meanwhile, its event is of no workspace: that one is not locked.
static const statement end_replaced_session{"browser_sessions_end_replaced", R"(
    WITH ended AS (
        UPDATE sessions SET revoked_at = now() WHERE id = $2 AND revoked_at IS NULL
        RETURNING user_id, CASE WHEN workspace_id = $3 THEN workspace_id END AS workspace_id)
    INSERT INTO audit
    SELECT event.*
    FROM ended, audit_event($1 || jsonb_build_object('actor_id', user_id, 'credential_id', $2, 'target', $2,
                                                     'workspace_id', ended.workspace_id)) AS event)"};

void add_end_replaced(batch& work, const row& replaced, const audit::entry& event)
{
    work.add(end_replaced_session, audit::as_json(event), replaced.id, replaced.workspace_id);
}

} // namespace db::browser_sessions
