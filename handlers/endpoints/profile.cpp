#include "handlers/endpoints/profile.hpp"

#include "crypto/random.hpp"
#include "db/principals/invalidation.hpp"
#include "db/tables/audit.hpp"
#include "db/tables/credential_checks.hpp"
#include "db/tables/memberships.hpp"
#include "db/tables/users.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/authn/reauthentication.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/to_schema.hpp"

namespace handlers::profile {

namespace {

/** What a patch does to a column that may be empty. */
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
    auto& who = c.caller();
    schemas::me out;
    if (user)
        out.user = to_user(c.cx.config, *user);
    if (who.workspace_id) {
        auto workspace = co_await db::workspaces::find(c.cx.db, *who.workspace_id);
        if (workspace)
            out.workspace = to_workspace(*workspace);
    }
    if (who.role)
        out.role = to_wire(*who.role);
    out.permissions = c.cx.permissions.effective(who);
    out.credential = to_credential(who);
    co_return out;
}

/** Told to a workspace whose member deletes their account: that somebody left, and not who. */
db::audit::entry farewell(const db::uuid& workspace)
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
    std::optional<db::users::row> user;
    if (c.caller().user_id)
        user = co_await db::users::find(c.cx.db, *c.caller().user_id);
    co_return co_await describe(c, std::move(user));
}

awaitable<answer<schemas::me>> update(call& c, schemas::patch_me body)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    db::users::profile_edit edit;
    edit.name = edit_of(body.name);
    edit.title = edit_of(body.title);
    if (body.locale)
        edit.locale = body.locale->value;
    if (body.timezone)
        edit.timezone = body.timezone->value;
    auto user = co_await db::users::update_profile(c.cx.db, *c.caller().user_id, std::move(edit));
    if (!user)
        co_return problem::not_found();
    co_return co_await describe(c, std::move(user));
}

awaitable<answer<nothing>> remove(call& c, std::optional<schemas::account_deletion> body)
{
    auto found = co_await load_person(c);
    if (auto refused = std::get_if<problem>(&found))
        co_return std::move(*refused);
    auto& user = std::get<db::users::row>(found);
    auto password = body ? std::move(body->password) : std::nullopt;
    auto refused = co_await require_reauthentication(c, user, std::move(password), "password");
    if (refused)
        co_return std::move(*refused);

    db::change what;
    what.users.push_back(user.id);
    db::batch work;
    db::require_password_version(work, user.id, user.password_version);
    db::require_standing(work, c.caller());
    for (auto& place : co_await db::memberships::list(c.cx.db, user.id)) {
        what.workspaces.push_back(place.workspace.id);
        if (!place.membership.is_owner)
            db::audit::add(work, farewell(place.workspace.id));
    }
    db::users::add_delete(work, user.id);
    auto ended = [id = user.id](const db::results& answers) {
        return db::users::reach_of(id, answers.last());
    };
    try {
        co_await c.cx.changes.commit(c.cx.db, std::move(work), std::move(what), std::move(ended));
    } catch (const db::failure& e) {
        if (db::users::would_orphan(e))
            co_return problem::conflict("owner_protected",
                                        "You own a workspace with other members: hand it over first.");
        if (db::users::would_leave_no_admin(e))
            co_return problem::conflict("last_admin",
                                        "You are the last admin of a workspace who can act for it.");
        throw;
    }
    co_return nothing();
}

} // namespace handlers::profile
