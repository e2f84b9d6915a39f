#include "handlers/endpoints/team.hpp"

#include "db/tables/api_keys.hpp"
#include "db/tables/invites.hpp"
#include "db/tables/team.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/authn/reauthentication.hpp"
#include "handlers/endpoints/api_key_policy.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/refusals.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <algorithm>

namespace handlers::team {

namespace {

constexpr std::string_view remove_permission = "team:remove";
constexpr std::string_view leave_permission = "profile:write";

using handlers::to_team_row;

schemas::team_row to_team_row(const db::invites::row& invite)
{
    schemas::team_row out;
    out.email = invite.email;
    out.role = to_wire(invite.role);
    out.status = schemas::team_status::pending;
    out.invite_id = invite.id;
    return out;
}

/// The member to remove, from the path. Allowed for callers with `team:remove` and for the member itself.
result<db::uuid> read_removed_member(const call& c)
{
    auto id = schemas::parse_uuid(c.params[0]);
    bool is_caller = id && id == c.caller().user_id;
    auto permission = is_caller ? leave_permission : remove_permission;
    if (!has_permission(c, permission))
        return deny_permission(c, permission);
    if (!id)
        return problem::of(codes::not_found);
    return *id;
}

std::optional<problem> error_of(db::team::outcome outcome)
{
    switch (outcome) {
    case db::team::outcome::done:
        return std::nullopt;
    case db::team::outcome::unknown:
        return problem::of(codes::not_found);
    case db::team::outcome::owner_protected:
        return problem::of(codes::owner_protected,
                           "The owner is always an admin; transfer the ownership first.");
    case db::team::outcome::last_admin:
        break;
    }
    return problem::of(codes::last_admin);
}

/// Cursors of the team, which is two lists in sequence. The signature of a cursor identifies its list.
class team_cursor {
public:
    team_cursor(call& c, const schemas::team_query& wanted)
        : members_(c, "team/members?" + filters_of(wanted)), invites_(c, "team/invites?" + filters_of(wanted))
    {}

    /// The start of a page.
    struct position {
        std::optional<db::uuid> last_member, last_invite;
        bool is_past_members = false;
    };

    result<position> read(const schemas::omittable<std::string>& cursor)
    {
        if (auto last_member = members_.read(cursor))
            return position{*last_member, std::nullopt, false};
        if (auto last_invite = invites_.read(cursor))
            return position{std::nullopt, *last_invite, true};
        return problem::of(codes::invalid_cursor);
    }

    std::string write(const schemas::team_row& last)
    {
        return last.user_id ? members_.write(*last.user_id) : invites_.write(*last.invite_id);
    }

private:
    static std::string filters_of(const schemas::team_query& wanted)
    {
        std::string out;
        if (wanted.role)
            out.append("role=").append(schemas::to_text(*wanted.role));
        if (wanted.status)
            out.append("&status=").append(schemas::to_text(*wanted.status));
        if (wanted.q)
            out.append("&q=").append(wanted.q->value);
        return out;
    }

    page_cursor members_, invites_;
};

/// Rows of both lists, up to one more than the page shows, and their total number.
struct combined_rows {
    std::vector<schemas::team_row> rows;
    std::optional<std::int64_t> total = 0;

    template <class Page>
    void add(const Page& page)
    {
        for (auto& row : page.rows)
            rows.push_back(to_team_row(row));
        total = total && page.total ? std::optional(*total + *page.total) : std::nullopt;
    }
};

} // namespace

awaitable<answer<schemas::page<schemas::team_row>>> list(call& c, query<schemas::team_query> wanted)
{
    // Read the cursor and the filters.
    team_cursor cursor(c, wanted.value);
    auto start = cursor.read(wanted->cursor);
    if (!start)
        co_return start.error();
    auto limit = static_cast<std::size_t>(wanted->limit.value);
    auto workspace = *c.caller().workspace_id;
    std::optional<db::role> role;
    if (wanted->role)
        role = from_wire(*wanted->role);
    std::optional<std::string> text;
    if (wanted->q)
        text = wanted->q->value;

    // Fetch members, then invites until the page is full. Both are queried on every page, for their totals.
    combined_rows found;
    if (wanted->status != schemas::team_status::pending) {
        auto member_limit = start->is_past_members ? 0 : static_cast<int>(limit + 1);
        db::team::query members{workspace, role, text, start->last_member, member_limit};
        auto page = co_await db::team::list(c.cx.db, std::move(members));
        found.add(page);
    }
    if (wanted->status != schemas::team_status::active) {
        auto invite_limit = static_cast<int>(limit + 1 - std::min(found.rows.size(), limit + 1));
        db::invites::query invites{workspace, role, text, false, start->last_invite, invite_limit};
        auto page = co_await db::invites::list(c.cx.db, std::move(invites));
        found.add(page);
    }

    schemas::page<schemas::team_row> out;
    out.items = std::move(found.rows);
    if (found.total)
        out.total = *found.total;
    if (out.items.size() > limit) {
        out.items.resize(limit);
        out.next_cursor = cursor.write(out.items.back());
    }
    co_return out;
}

namespace {

/// The member: a deletion of the account locks them as well.
db::row_locks locks_to_change(const db::uuid& member)
{
    return {.users = {member}, .user_strength = db::lock_strength::share};
}

} // namespace

awaitable<answer<schemas::team_row>> set_role(call& c, schemas::role_change body)
{
    auto id = schemas::parse_uuid(c.params[0]);
    if (!id)
        co_return problem::of(codes::not_found);
    auto workspace = *c.caller().workspace_id;
    unit_of_work tx(c, credential_check::exclusive, locks_to_change(*id));
    auto event = tx.event("team.set_role", to_string(*id));
    auto outcome =
        co_await db::team::set_role(tx.release(), workspace, *id, from_wire(body.role), std::move(event));
    if (auto error = error_of(outcome))
        co_return std::move(*error);
    auto member = co_await db::team::find(c.cx.db, workspace, *id);
    if (!member)
        co_return problem::of(codes::not_found);
    co_return to_team_row(*member);
}

awaitable<answer<no_content>> remove(call& c)
{
    auto member = read_removed_member(c);
    if (!member)
        co_return member.error();
    auto& caller = c.caller();
    unit_of_work tx(c, credential_check::exclusive, locks_to_change(*member));
    auto event = tx.event(*member == caller.user_id ? "team.leave" : "team.remove", to_string(*member));
    auto outcome = co_await db::team::remove(tx.release(), *caller.workspace_id, *member, std::move(event));
    if (auto error = error_of(outcome))
        co_return std::move(*error);
    co_return no_content();
}

awaitable<answer<schemas::page<schemas::api_key_row>>> preview_removal(call& c,
                                                                       query<schemas::page_query> wanted)
{
    auto id = read_removed_member(c);
    if (!id)
        co_return id.error();
    auto workspace = *c.caller().workspace_id;
    auto member = co_await db::team::find(c.cx.db, workspace, *id);
    if (!member)
        co_return problem::of(codes::not_found);
    db::api_keys::query keys;
    keys.owner = {workspace, *id};
    keys.status = db::api_keys::status::active;
    auto fetch = [&c, keys](std::optional<db::uuid> before, int limit) mutable {
        keys.before = before;
        keys.limit = limit;
        return db::api_keys::list(c.cx.db, keys);
    };
    auto name = "team/removal/" + to_string(*id);
    co_return co_await paginate<schemas::api_key_row>(c, wanted.value, name, fetch, &to_api_key);
}

awaitable<answer<schemas::workspace>> transfer_ownership(call& c, schemas::ownership_transfer body)
{
    auto owner = co_await load_user(c);
    if (!owner)
        co_return owner.error();
    auto& caller = c.caller();
    if (!caller.is_owner)
        co_return problem::of(codes::forbidden, "Only the owner can transfer the ownership of a workspace.");
    auto refused = co_await require_reauthentication(c, *owner, std::move(body.password), "password");
    if (refused)
        co_return std::move(*refused);
    if (body.user_id == owner->id)
        co_return problem::of(codes::conflict, "You already own the workspace.");

    auto workspace_id = *caller.workspace_id;
    db::row_locks locks{.users = {body.user_id}};
    unit_of_work tx(c, *owner, credential_check::exclusive, std::move(locks));
    auto event = tx.event("workspace.transfer", to_string(body.user_id));
    bool done = co_await db::team::transfer_ownership(tx.release(), workspace_id, owner->id, body.user_id,
                                                      std::move(event));
    if (!done)
        co_return problem::of(codes::not_found);
    auto workspace = co_await db::workspaces::find(c.cx.db, workspace_id);
    if (!workspace)
        co_return problem::of(codes::not_found);
    co_return to_workspace(*workspace);
}

namespace {

schemas::team_api_key to_team_key(const db::api_keys::row& row)
{
    schemas::team_api_key out;
    out.id = row.id;
    out.prefix = row.prefix;
    out.name = row.name;
    out.scopes = row.scopes;
    out.owner = row.user_id ? schemas::key_owner::user : schemas::key_owner::workspace;
    out.user_id = row.user_id;
    if (row.role)
        out.role = to_wire(*row.role);
    out.created_by = row.created_by;
    out.created_at = row.created_at;
    out.expires_at = row.expires_at;
    out.last_used_at = row.last_used_at;
    out.revoked_at = row.revoked_at;
    return out;
}

} // namespace

awaitable<answer<schemas::page<schemas::team_api_key>>> list_keys(call& c,
                                                                  query<schemas::api_key_query> wanted)
{
    std::string name = "team/api-keys";
    db::api_keys::query keys;
    keys.owner.workspace_id = *c.caller().workspace_id;
    if (auto refused = api_keys::read_filters(wanted.value, keys, name))
        co_return std::move(*refused);
    auto fetch = [&c, keys](std::optional<db::uuid> before, int limit) mutable {
        keys.before = before;
        keys.limit = limit;
        return db::api_keys::list(c.cx.db, keys);
    };
    co_return co_await paginate<schemas::team_api_key>(c, wanted.value, name, fetch, &to_team_key);
}

} // namespace handlers::team
