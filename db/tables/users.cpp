#include "db/tables/users.hpp"

#include "db/postgres/columns.hpp"
#include "db/postgres/sqlstate.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/api_keys.hpp"
#include "db/tables/invites.hpp"
#include "db/tables/join_requests.hpp"
#include "db/tables/row_locks.hpp"
#include "db/tables/sessions.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace db::users {

static const statement find_user{"users_find", "SELECT " + columns<row>() + " FROM users WHERE id = $1"};

awaitable<std::optional<row>> find(pool& db, uuid id)
{
    auto found = co_await db.run(find_user, id);
    co_return found.as_optional<row>();
}

static const statement find_user_by_email{
    "users_find_by_email", "SELECT " + columns<row>() + " FROM users WHERE email_normalized = $1"};

awaitable<std::optional<row>> find_by_email(pool& db, std::string email)
{
    auto found = co_await db.run(find_user_by_email, email);
    co_return found.as_optional<row>();
}

static const statement find_unproved_users{"users_find_unproved", "SELECT " + columns<row>() + R"(
    FROM users WHERE email_normalized = ANY ($1::text[]) AND NOT is_proved(users))"};

awaitable<std::vector<row>> find_unproved(pool& db, std::vector<std::string> emails)
{
    auto found = co_await db.run(find_unproved_users, emails);
    co_return found.as_vector<row>();
}

// Of some two hundred pages of the table. The fourth part of `$argon2id$v=19$m=…,t=…,p=…$salt$hash`.
static const statement find_common_costs{"users_find_common_password_costs", R"(
    SELECT split_part(password_hash, '$', 4) AS costs
    FROM users TABLESAMPLE SYSTEM (
        least(100, 200 * 100.0 / greatest(1, pg_relation_size('users') / current_setting('block_size')::int)))
    WHERE password_hash LIKE '$argon2id$%'
    GROUP BY 1 ORDER BY count(*) DESC, 1 LIMIT 1)"};

awaitable<std::optional<std::string>> find_common_password_costs(pool& db)
{
    auto found = co_await db.run(find_common_costs);
    co_return found.as_optional<std::string>();
}

// The workspace to sign in to: the last one used, else the oldest membership.
static const char* const login_workspace_order =
    " ORDER BY w.id = u.last_workspace_id DESC, m.joined_at, w.id LIMIT 1";

static const statement find_login_workspace_by_email{"users_find_login_workspace_by_email",
                                                     memberships::select_workspace_membership() + R"(
    FROM users u JOIN memberships m ON m.user_id = u.id JOIN workspaces w ON w.id = m.workspace_id
    WHERE u.email_normalized = $1)" + login_workspace_order};

awaitable<std::optional<account>> find_for_login(pool& db, std::string email)
{
    batch work;
    work.add(find_user_by_email, email);
    work.add(find_login_workspace_by_email, email);
    auto found = co_await db.run(std::move(work));
    auto user = found.first().as_optional<row>();
    if (!user)
        co_return std::nullopt;
    co_return account{std::move(*user), memberships::read_workspace_membership(found.last())};
}

static const statement find_login_workspace{"users_find_login_workspace",
                                            memberships::select_workspace_membership() + R"(
    FROM users u JOIN memberships m ON m.user_id = u.id JOIN workspaces w ON w.id = m.workspace_id
    WHERE u.id = $1)" + login_workspace_order};

awaitable<account> with_login_workspace(pool& db, row user)
{
    auto found = co_await db.run(find_login_workspace, user.id);
    co_return account{std::move(user), memberships::read_workspace_membership(found)};
}

static const statement insert_user{"users_insert", R"(
    INSERT INTO users (id, email, email_normalized, password_hash, name, locale, timezone, email_verified_at,
                       signup_agent, verified_by_link_only)
    VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $8 THEN now() END, $9, $10)
    RETURNING )" + columns<row>()};

void add_insert(batch& work, const draft& user)
{
    work.add(insert_user, user.id, user.email, user.email_normalized, user.password_hash, user.name,
             user.locale, user.timezone, user.email_verified, user.signup_agent, user.verified_by_link_only);
}

static const statement retire_user{"users_retire", "SELECT * FROM retire_account($1)"};

void add_retire(batch& work, const uuid& id)
{
    work.add(retire_user, id);
}

static const statement find_affected_workspaces{"users_find_affected_workspaces",
                                                "SELECT * FROM affected_workspaces($1)"};

awaitable<invalidation> affected_by(pool& db, uuid id)
{
    auto found = co_await db.run(find_affected_workspaces, id);
    co_return affected_by(id, found);
}

invalidation affected_by(const uuid& id, const result& workspaces)
{
    invalidation out;
    out.users.push_back(id);
    out.workspaces = workspaces.as_vector<uuid>();
    return out;
}

static const statement verify_user_email{"users_verify_email", R"(
    UPDATE users
    SET email_verified_at = coalesce(email_verified_at, now()),
        verified_by_link_only = $3 AND (email_verified_at IS NULL OR verified_by_link_only),
        proved_email = CASE WHEN $3 THEN proved_email END,
        proved_email_normalized = CASE WHEN $3 THEN proved_email_normalized END
    WHERE id = $1 AND email = $2 AND email_normalized NOT LIKE 'released/%' AND disabled_at IS NULL
    RETURNING )" + columns<row>()};

void add_verify_email(batch& work, const uuid& id, std::string_view email, proof by,
                      const audit::entry& joined)
{
    work.add(verify_user_email, id, email, by == proof::link);
    join_requests::add_resolve(work, id, joined);
}

static const statement change_user_email{"users_change_email", R"(
    WITH obsolete AS (
        DELETE FROM join_requests r USING users u
        WHERE r.user_id = $1 AND u.id = $1 AND u.email_normalized <> $3)
    UPDATE users
    SET email = $2, email_normalized = $3, email_verified_at = now(), verified_by_link_only = $4,
        proved_email = CASE WHEN NOT $4 THEN NULL WHEN is_proved(users) THEN email ELSE proved_email END,
        proved_email_normalized = CASE WHEN NOT $4 THEN NULL WHEN is_proved(users) THEN email_normalized
                                       ELSE proved_email_normalized END
    WHERE id = $1 AND disabled_at IS NULL
    RETURNING )" + columns<row>()};

void add_change_email(batch& work, const uuid& id, std::string_view email, std::string_view email_normalized,
                      proof by)
{
    work.add(change_user_email, id, email, email_normalized, by == proof::link);
}

static const statement delete_user{"users_delete", "SELECT * FROM delete_account($1)"};

void add_delete(batch& work, const uuid& id)
{
    work.add(delete_user, id);
}

bool would_leave_ownerless(const failure& error)
{
    return error.sqlstate() == sqlstate::workspace_without_owner;
}

bool would_leave_no_admin(const failure& error)
{
    return error.sqlstate() == sqlstate::last_admin;
}

static const statement find_user_notifications{"users_find_notifications",
                                               "SELECT notifications FROM users WHERE id = $1"};

awaitable<std::optional<std::string>> find_notifications(pool& db, uuid id)
{
    auto found = co_await db.run(find_user_notifications, id);
    co_return found.as_optional<std::string>();
}

static const statement update_user_notifications{"users_update_notifications", R"(
    UPDATE users
    SET notifications = notifications ||
        (SELECT coalesce(jsonb_object_agg(kind, coalesce(notifications -> kind, '{}') || channels), '{}')
         FROM jsonb_each($2::jsonb) AS changes (kind, channels))
    WHERE id = $1
    RETURNING notifications)"};

awaitable<std::optional<std::string>> update_notifications(pool& db, uuid id, std::string changes)
{
    auto changed = co_await db.run(update_user_notifications, id, changes);
    co_return changed.as_optional<std::string>();
}

static const statement update_user_profile{"users_update_profile", R"(
    UPDATE users
    SET name = CASE WHEN $2 THEN $3 ELSE name END,
        title = CASE WHEN $4 THEN $5 ELSE title END,
        locale = coalesce($6, locale),
        timezone = coalesce($7, timezone)
    WHERE id = $1
    RETURNING )" + columns<row>()};

awaitable<std::optional<row>> update_profile(pool& db, uuid id, profile_edit edit)
{
    auto changed = co_await db.run(update_user_profile, id, edit.name.has_value(),
                                   edit.name.value_or(std::nullopt), edit.title.has_value(),
                                   edit.title.value_or(std::nullopt), edit.locale, edit.timezone);
    co_return changed.as_optional<row>();
}

static const statement update_user_password_hash{"users_update_password_hash", R"(
    UPDATE users SET password_hash = $3 WHERE id = $1 AND password_hash = $2)"};

awaitable<bool> update_password_hash(pool& db, uuid id, std::string old_hash, std::string new_hash)
{
    auto changed = co_await db.run(update_user_password_hash, id, old_hash, new_hash);
    co_return changed.affected() == 1;
}

static const statement set_user_password{"users_set_password", R"(
    UPDATE users SET password_hash = $2, password_version = password_version + 1 WHERE id = $1)"};

void add_set_password(batch& work, const uuid& id, std::optional<std::string_view> hash)
{
    work.add(set_user_password, id, hash);
}

static const statement set_user_name{"users_set_name", "UPDATE users SET name = $2 WHERE id = $1"};

void add_set_name(batch& work, const uuid& id, std::string_view name)
{
    work.add(set_user_name, id, name);
}

static const statement set_user_last_workspace{"users_set_last_workspace", R"(
    UPDATE users SET last_workspace_id = $2 WHERE id = $1 AND last_workspace_id IS DISTINCT FROM $2)"};

void add_set_last_workspace(batch& work, const uuid& id, const uuid& workspace_id)
{
    work.add(set_user_last_workspace, id, workspace_id);
}

static const statement disable_user{"users_disable", R"(
    UPDATE users SET disabled_at = coalesce(disabled_at, now()) WHERE id = $1)"};

namespace {

/// The invalidation of an account and of all its workspaces.
awaitable<invalidation> account_and_workspaces(pool& db, uuid id)
{
    invalidation out;
    out.users.push_back(id);
    for (auto& each : co_await memberships::list(db, id))
        out.workspaces.push_back(each.workspace.id);
    co_return out;
}

/// Locks an account and its workspaces, to which the audit events refer.
void lock_for_operator(batch& work, const invalidation& account)
{
    row_locks locks{.workspaces = account.workspaces};
    locks.users = account.users;
    locks.user_strength = lock_strength::update;
    add_locks(work, locks);
}

/// Records an operator's change of an account in each of its workspaces.
void add_events(batch& work, const std::vector<uuid>& workspaces, const uuid& user, audit::entry event,
                const std::function<uuid()>& make_id)
{
    event.target = to_string(user);
    for (auto& workspace : workspaces) {
        event.id = make_id();
        event.workspace_id = workspace;
        audit::add(work, event);
    }
}

} // namespace

awaitable<std::optional<uuid>> disable(transaction tx, std::string email, audit::entry event,
                                       std::function<uuid()> make_id)
{
    auto user = co_await find_by_email(tx.pool(), std::move(email));
    if (!user)
        co_return std::nullopt;
    auto affected = co_await account_and_workspaces(tx.pool(), user->id);
    auto& work = tx.work();
    lock_for_operator(work, affected); // makes a concurrent login wait, and then fail
    work.add(disable_user, user->id);
    sessions::add_revoke_all(work, user->id);
    api_keys::add_revoke_all_of_user(work, user->id);
    invites::add_cancel_all_by(work, user->id);
    add_events(work, affected.workspaces, user->id, event, make_id);
    co_await tx.commit(std::move(affected));
    co_return user->id;
}

// The account that has the address and is disabled, or one that has released it: the newest of several.
static const statement find_disabled{"users_find_disabled", R"(
    SELECT id FROM users
    WHERE (email_normalized = $1 AND disabled_at IS NOT NULL) OR released_email = $1
    ORDER BY disabled_at DESC NULLS LAST, id LIMIT 1)"};

static const statement restore_user{"users_restore", R"(
    UPDATE users u
    SET disabled_at = NULL,
        email_normalized = CASE WHEN EXISTS (SELECT FROM users o WHERE o.email_normalized = $2)
                                THEN email_normalized ELSE $2 END
    WHERE id = $1)"};

awaitable<std::optional<uuid>> restore(transaction tx, std::string email, audit::entry event,
                                       std::function<uuid()> make_id)
{
    auto found = co_await tx.pool().run(find_disabled, email);
    auto user = found.as_optional<uuid>();
    if (!user)
        co_return std::nullopt;
    auto affected = co_await account_and_workspaces(tx.pool(), *user);
    auto& work = tx.work();
    lock_for_operator(work, affected);
    work.add(restore_user, *user, email);
    add_events(work, affected.workspaces, *user, event, make_id);
    co_await tx.commit(std::move(affected));
    co_return user;
}

} // namespace db::users
