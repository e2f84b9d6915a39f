#include "handlers/profile.hpp"

#include "db/users.hpp"
#include "db/workspaces.hpp"
#include "handlers/convert.hpp"
#include "handlers/deps.hpp"

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

} // namespace handlers::profile
