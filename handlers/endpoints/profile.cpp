#include "handlers/endpoints/profile.hpp"

#include "crypto/random.hpp"
#include "db/postgres/batch.hpp"
#include "db/postgres/error.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/audit.hpp"
#include "db/tables/memberships.hpp"
#include "db/tables/users.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/access/permissions.hpp"
#include "handlers/authn/reauthentication.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/to_schema.hpp"

namespace handlers::profile {

namespace {

/// The edit of a nullable column that a patch asks for.
template <class T>
std::optional<std::optional<std::string>> edit_of(const schemas::clearable<T>& member)
{
    if (member.is_absent())
        return std::nullopt;
    std::optional<std::string> value;
    if (member.has_value())
        value = member->value;
    return value;
}

awaitable<schemas::me> describe(call& c, std::optional<db::users::row> user)
{
    auto& caller = c.caller();
    schemas::me out;
    if (user)
        out.user = to_user(c.cx.config, *user);
    if (caller.workspace_id) {
        auto workspace = co_await db::workspaces::find(c.cx.db, *caller.workspace_id);
        if (workspace)
            out.workspace = to_workspace(*workspace);
    }
    if (caller.role)
        out.role = to_wire(*caller.role);
    out.permissions = c.cx.permissions.effective(caller);
    out.credential = to_credential(caller);
    co_return out;
}

/// The audit event of a workspace that a member left by deleting their account. It does not name the member.
db::audit::entry leave_event(const db::uuid& workspace)
{
    db::audit::entry out;
    out.id = crypto::make_uuid_v7();
    out.workspace_id = workspace;
    out.action = "team.leave";
    out.details = R"({"account":"deleted"})";
    return out;
}

} // namespace

awaitable<answer<schemas::me>> show(call& c)
{
    auto& caller = c.caller();
    bool is_readable = caller.kind == db::principal::kind_type::session || has_permission(c, "profile:read");
    std::optional<db::users::row> user;
    if (caller.user_id && is_readable)
        user = co_await db::users::find(c.cx.db, *c.caller().user_id);
    co_return co_await describe(c, std::move(user));
}

awaitable<answer<schemas::me>> update(call& c, schemas::patch_me body)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    db::users::profile_edit edit;
    edit.name = edit_of(body.name);
    edit.title = edit_of(body.title);
    if (body.locale)
        edit.locale = body.locale->value;
    if (body.timezone)
        edit.timezone = body.timezone->value;
    auto user = co_await db::users::update_profile(c.cx.db, *c.caller().user_id, std::move(edit));
    if (!user)
        co_return problem::of(codes::not_found);
    co_return co_await describe(c, std::move(user));
}

awaitable<answer<no_content>> remove(call& c, std::optional<schemas::account_deletion> body)
{
    auto user = co_await load_user(c);
    if (!user)
        co_return user.error();
    auto password = body ? std::move(body->password) : std::nullopt;
    auto refused = co_await require_reauthentication(c, *user, std::move(password), "password");
    if (refused)
        co_return std::move(*refused);

    db::row_locks locks{.users = {user->id}, .user_strength = db::lock_strength::update};
    locks.deleted_user = user->id;
    unit_of_work tx(c, *user, credential_check::shared, std::move(locks));
    tx.affects_user(user->id);
    for (auto& [workspace, membership] : co_await db::memberships::list(c.cx.db, user->id)) {
        tx.affects_workspace(workspace.id);
        if (!membership.is_owner)
            tx.audit(leave_event(workspace.id));
    }
    db::users::add_delete(tx.batch(), user->id);
    auto affected = [id = user->id](const db::results& answers) {
        return db::users::affected_by(id, answers.last());
    };
    try {
        co_await tx.commit(std::move(affected));
    } catch (const db::failure& e) {
        if (db::users::would_leave_ownerless(e))
            co_return problem::of(codes::owner_protected,
                                  "You own a workspace with other members: transfer its ownership first.");
        if (db::users::would_leave_no_admin(e))
            co_return problem::of(codes::last_admin, "You are the last active admin of a workspace.");
        throw;
    }
    co_return no_content();
}

} // namespace handlers::profile
