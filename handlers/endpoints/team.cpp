#include "handlers/endpoints/team.hpp"

#include "db/tables/api_keys.hpp"
#include "db/tables/credential_checks.hpp"
#include "db/tables/invites.hpp"
#include "db/tables/team.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/authn/reauthentication.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <algorithm>

namespace handlers::team {

namespace {

constexpr std::string_view may_remove = "team:remove";
constexpr std::string_view may_leave = "profile:write"; // by oneself

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

/** The member that the path names, if they may be removed by the caller: by who may remove, and by
 * themselves. */
std::variant<db::uuid, problem> read_leaver(const call& c)
{
    auto id = schemas::parse_uuid(c.params[0]);
    bool is_oneself = id && id == c.caller().user_id;
    auto needed = is_oneself ? may_leave : may_remove;
    if (!may(c, needed))
        return problem::forbidden_scope(needed);
    if (!id)
        return problem::not_found();
    return *id;
}

std::optional<problem> refusal_of(db::team::outcome outcome)
{
    switch (outcome) {
    case db::team::outcome::done:
        return std::nullopt;
    case db::team::outcome::unknown:
        return problem::not_found();
    case db::team::outcome::owner_protected:
        return problem::conflict("owner_protected",
                                 "The owner is an admin, and hands the workspace over first.");
    case db::team::outcome::last_admin:
        break;
    }
    return problem::conflict("last_admin", "A workspace keeps an admin.");
}

} // namespace

namespace {

/** The two lists that make the team, one after the other; a cursor tells by its making where in which of them
   a page begins. */
class team_pages {
public:
    team_pages(call& c, const schemas::team_query& wanted)
        : members_(c, "team/members?" + filters_of(wanted)), invites_(c, "team/invites?" + filters_of(wanted))
    {}

    /** Where a page begins: after this one. */
    struct place {
        std::optional<db::uuid> member, invite;
        bool is_past_members = false;
    };

    std::variant<place, problem> read(const schemas::omittable<std::string>& cursor)
    {
        auto member = members_.read(cursor);
        if (auto after = std::get_if<std::optional<db::uuid>>(&member))
            return place{*after, std::nullopt, false};
        auto invite = invites_.read(cursor);
        if (auto after = std::get_if<std::optional<db::uuid>>(&invite))
            return place{std::nullopt, *after, true};
        return problem::invalid_cursor();
    }

    std::string after(const schemas::team_row& row)
    {
        return row.user_id ? members_.write(*row.user_id) : invites_.write(*row.invite_id);
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

/** The rows of both lists that a page may have, one more than it shows, and how many there are. */
struct found_rows {
    std::vector<schemas::team_row> rows;
    std::optional<std::int64_t> total = 0;

    template <class Page>
    void add(const Page& found)
    {
        for (auto& row : found.rows)
            rows.push_back(to_team_row(row));
        total = total && found.total ? std::optional(*total + *found.total) : std::nullopt;
    }
};

} // namespace

awaitable<answer<schemas::page<schemas::team_row>>> list(call& c, query<schemas::team_query> wanted)
{
    team_pages pages(c, wanted.value);
    auto read = pages.read(wanted->cursor);
    if (auto refusal = std::get_if<problem>(&read))
        co_return std::move(*refusal);
    auto& from = std::get<team_pages::place>(read);
    auto limit = static_cast<std::size_t>(wanted->limit.value);
    auto workspace = *c.caller().workspace_id;
    std::optional<db::role> role;
    if (wanted->role)
        role = from_wire(*wanted->role);
    std::optional<std::string> text;
    if (wanted->q)
        text = wanted->q->value;

    found_rows found;
    if (wanted->status != schemas::team_status::pending) {
        db::team::query members{workspace, role, text, from.member, static_cast<int>(limit + 1)};
        if (from.is_past_members)
            members.limit = 0; // asked all the same: how many there are is told on every page
        auto page = co_await db::team::list(c.cx.db, std::move(members));
        found.add(page);
    }
    if (wanted->status != schemas::team_status::active) {
        auto left = static_cast<int>(limit + 1 - std::min(found.rows.size(), limit + 1));
        db::invites::query invites{workspace, role, text, false, from.invite, left};
        auto page = co_await db::invites::list(c.cx.db, std::move(invites));
        found.add(page);
    }

    schemas::page<schemas::team_row> out;
    out.items = std::move(found.rows);
    if (found.total)
        out.total = *found.total;
    if (out.items.size() > limit) {
        out.items.resize(limit);
        out.next_cursor = pages.after(out.items.back());
    }
    co_return out;
}

awaitable<answer<schemas::team_row>> set_role(call& c, schemas::role_change body)
{
    auto id = schemas::parse_uuid(c.params[0]);
    if (!id)
        co_return problem::not_found();
    auto& who = c.caller();
    trace from(c);
    auto event = from.event("team.set_role");
    event.target = to_string(*id);
    db::batch work;
    db::require_sole_standing(work, who);
    auto outcome = co_await db::team::set_role(c.cx.changes, c.cx.db, std::move(work), *who.workspace_id, *id,
                                               from_wire(body.role), event);
    if (auto refusal = refusal_of(outcome))
        co_return std::move(*refusal);
    auto member = co_await db::team::find(c.cx.db, *who.workspace_id, *id);
    if (!member)
        co_return problem::not_found();
    co_return to_team_row(*member);
}

awaitable<answer<nothing>> remove(call& c)
{
    auto leaver = read_leaver(c);
    if (auto refusal = std::get_if<problem>(&leaver))
        co_return std::move(*refusal);
    auto& who = c.caller();
    auto id = std::get<db::uuid>(leaver);
    trace from(c);
    auto event = from.event(id == who.user_id ? "team.leave" : "team.remove");
    event.target = to_string(id);
    db::batch work;
    db::require_sole_standing(work, who);
    auto outcome =
        co_await db::team::remove(c.cx.changes, c.cx.db, std::move(work), *who.workspace_id, id, event);
    if (auto refusal = refusal_of(outcome))
        co_return std::move(*refusal);
    co_return nothing();
}

awaitable<answer<schemas::page<schemas::api_key_row>>> preview_removal(call& c,
                                                                       query<schemas::page_query> wanted)
{
    auto leaver = read_leaver(c);
    if (auto refusal = std::get_if<problem>(&leaver))
        co_return std::move(*refusal);
    auto workspace = *c.caller().workspace_id;
    auto id = std::get<db::uuid>(leaver);
    auto member = co_await db::team::find(c.cx.db, workspace, id);
    if (!member)
        co_return problem::not_found();
    page_cursor cursor(c, "team/removal/" + to_string(id));
    auto from = cursor.read(wanted->cursor);
    if (auto refusal = std::get_if<problem>(&from))
        co_return std::move(*refusal);
    auto limit = wanted->limit.value;
    db::api_keys::query question;
    question.within = {workspace, id};
    question.status = db::api_keys::status::active;
    question.before = std::get<std::optional<db::uuid>>(from);
    question.limit = static_cast<int>(limit + 1);
    auto found = co_await db::api_keys::list(c.cx.db, question);
    co_return make_page<schemas::api_key_row>(cursor, found.rows, limit, found.total, &to_api_key);
}

awaitable<answer<schemas::workspace>> transfer_ownership(call& c, schemas::ownership_transfer body)
{
    auto found = co_await load_person(c);
    if (auto refused = std::get_if<problem>(&found))
        co_return std::move(*refused);
    auto& owner = std::get<db::users::row>(found);
    auto& who = c.caller();
    if (!who.is_owner)
        co_return problem::forbidden("forbidden", "A workspace is handed over by its owner alone.");
    auto refused = co_await require_reauthentication(c, owner, std::move(body.password), "password");
    if (refused)
        co_return std::move(*refused);
    if (body.user_id == owner.id)
        co_return problem::conflict("conflict", "You are the owner already.");

    trace from(c);
    auto event = from.event("workspace.transfer");
    event.target = to_string(body.user_id);
    db::batch work;
    db::require_password_version(work, owner.id, owner.password_version);
    db::require_sole_standing(work, who);
    bool done = co_await db::team::transfer_ownership(c.cx.changes, c.cx.db, std::move(work),
                                                      *who.workspace_id, owner.id, body.user_id, event);
    if (!done)
        co_return problem::not_found();
    auto workspace = co_await db::workspaces::find(c.cx.db, *who.workspace_id);
    if (!workspace)
        co_return problem::not_found();
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
    db::api_keys::query question;
    question.within.workspace_id = *c.caller().workspace_id;
    if (wanted->status) {
        question.status = from_wire(*wanted->status);
        name.append(":").append(schemas::to_text(*wanted->status));
    }
    page_cursor cursor(c, name);
    auto from = cursor.read(wanted->cursor);
    if (auto refusal = std::get_if<problem>(&from))
        co_return std::move(*refusal);
    auto limit = wanted->limit.value;
    question.before = std::get<std::optional<db::uuid>>(from);
    question.limit = static_cast<int>(limit + 1);
    auto found = co_await db::api_keys::list(c.cx.db, question);
    co_return make_page<schemas::team_api_key>(cursor, found.rows, limit, found.total, &to_team_key);
}

} // namespace handlers::team
