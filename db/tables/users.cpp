#include "db/tables/users.hpp"

#include "db/postgres/columns.hpp"
#include "db/principals/invalidation.hpp"
#include "db/tables/api_keys.hpp"
#include "db/tables/invites.hpp"
#include "db/tables/join_requests.hpp"
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

// Of many, the workspace to sign in to: the one last used, else the oldest membership.
static const char* const first_place = " ORDER BY w.id = u.last_workspace_id DESC, m.joined_at, w.id LIMIT 1";

static const statement find_place_by_email{"users_find_place_by_email", memberships::select_place() + R"(
    FROM users u JOIN memberships m ON m.user_id = u.id JOIN workspaces w ON w.id = m.workspace_id
    WHERE u.email_normalized = $1)" + first_place};

awaitable<std::optional<account>> find_for_login(pool& db, std::string email)
{
    batch work;
    work.add(find_user_by_email, email);
    work.add(find_place_by_email, email);
    auto found = co_await db.run(std::move(work));
    auto user = found.first().as_optional<row>();
    if (!user)
        co_return std::nullopt;
    co_return account{std::move(*user), memberships::read_place(found.last())};
}

static const statement find_place_of_user{"users_find_place", memberships::select_place() + R"(
    FROM users u JOIN memberships m ON m.user_id = u.id JOIN workspaces w ON w.id = m.workspace_id
    WHERE u.id = $1)" + first_place};

awaitable<account> with_place(pool& db, row user)
{
    auto found = co_await db.run(find_place_of_user, user.id);
    co_return account{std::move(user), memberships::read_place(found)};
}

static const statement insert_user{"users_insert", R"(
    INSERT INTO users (id, email, email_normalized, password_hash, name, locale, timezone, email_verified_at)
    VALUES ($1, $2, $3, $4, $5, $6, $7, CASE WHEN $8 THEN now() END)
    RETURNING )" + columns<row>()};

void add_insert(batch& work, const draft& user)
{
    work.add(insert_user, user.id, user.email, user.email_normalized, user.password_hash, user.name,
             user.locale, user.timezone, user.email_verified);
}

static const statement vacate_user{"users_vacate", "SELECT * FROM vacate_address($1)"};

void add_vacate(batch& work, const uuid& id)
{
    work.add(vacate_user, id);
}

static const statement dispossess_user{"users_dispossess", "SELECT * FROM dispossess($1)"};

void add_dispossess(batch& work, const uuid& id)
{
    work.add(dispossess_user, id);
}

static const statement find_reach{"users_find_reach", "SELECT * FROM workspaces_touched_by($1)"};

awaitable<change> reach_of(pool& db, uuid id)
{
    auto found = co_await db.run(find_reach, id);
    co_return reach_of(id, found);
}

change reach_of(const uuid& id, const result& ended)
{
    change out;
    out.users.push_back(id);
    out.workspaces = ended.as_vector<uuid>();
    return out;
}

static const statement verify_user_email{"users_verify_email", R"(
    UPDATE users SET email_verified_at = coalesce(email_verified_at, now())
    WHERE id = $1 AND email = $2 AND disabled_at IS NULL
    RETURNING )" + columns<row>()};

void add_verify_email(batch& work, const uuid& id, std::string_view email, const audit::entry& joined)
{
    work.add(verify_user_email, id, email);
    join_requests::add_settle(work, id, joined);
}

static const statement change_user_email{"users_change_email", R"(
    WITH moot AS (DELETE FROM join_requests WHERE user_id = $1)
    UPDATE users SET email = $2, email_normalized = $3, email_verified_at = now()
    WHERE id = $1 AND disabled_at IS NULL
    RETURNING )" + columns<row>()};

void add_change_email(batch& work, const uuid& id, std::string_view email, std::string_view email_normalized)
{
    work.add(change_user_email, id, email, email_normalized);
}

static const statement delete_user{"users_delete", "SELECT * FROM delete_account($1)"};

void add_delete(batch& work, const uuid& id)
{
    work.add(delete_user, id);
}

bool would_orphan(const failure& error)
{
    return error.sqlstate() == "LK003";
}

bool would_leave_no_admin(const failure& error)
{
    return error.sqlstate() == "LK008";
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
         FROM jsonb_each($2::jsonb) AS switched (kind, channels))
    WHERE id = $1
    RETURNING notifications)"};

awaitable<std::optional<std::string>> update_notifications(pool& db, uuid id, std::string switched)
{
    auto changed = co_await db.run(update_user_notifications, id, switched);
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

/// A change of the account and of all workspaces that it belongs to.
awaitable<change> account_of(pool& db, uuid id)
{
    change out;
    out.users.push_back(id);
    for (auto& place : co_await memberships::list(db, id))
        out.workspaces.push_back(place.workspace.id);
    co_return out;
}

/// Note what an operator did to an account, wherever somebody may look for it.
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

awaitable<std::optional<uuid>> disable(principal_changes& changes, pool& db, std::string email,
                                       audit::entry event, std::function<uuid()> make_id)
{
    auto user = co_await find_by_email(db, std::move(email));
    if (!user)
        co_return std::nullopt;
    auto what = co_await account_of(db, user->id);
    batch work;
    work.add(disable_user, user->id); // first: it makes a login that is under way wait, and then fail
    sessions::add_revoke_all(work, user->id);
    api_keys::add_revoke_all_of_user(work, user->id);
    invites::add_cancel_all_by(work, user->id);
    add_events(work, what.workspaces, user->id, event, make_id);
    co_await changes.commit(db, std::move(work), std::move(what));
    co_return user->id;
}

// The newest, should several have given up one address.
static const statement find_disabled{"users_find_disabled", R"(
    SELECT id FROM users
    WHERE lower(email) = lower($1) AND disabled_at IS NOT NULL
    ORDER BY disabled_at DESC LIMIT 1)"};

static const statement restore_user{"users_restore", R"(
    UPDATE users u
    SET disabled_at = NULL,
        email_normalized = CASE WHEN EXISTS (SELECT FROM users o WHERE o.email_normalized = $2) THEN email_normalized
                                ELSE $2 END
    WHERE id = $1)"};

awaitable<std::optional<uuid>> restore(principal_changes& changes, pool& db, std::string email,
                                       audit::entry event, std::function<uuid()> make_id)
{
    auto found = co_await db.run(find_disabled, email);
    auto user = found.as_optional<uuid>();
    if (!user)
        co_return std::nullopt;
    auto what = co_await account_of(db, *user);
    batch work;
    work.add(restore_user, *user, email);
    add_events(work, what.workspaces, *user, event, make_id);
    co_await changes.commit(db, std::move(work), std::move(what));
    co_return user;
}

} // namespace db::users
