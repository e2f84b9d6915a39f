#include "handlers/endpoints/workspaces.hpp"

#include "crypto/random.hpp"
#include "db/tables/credential_checks.hpp"
#include "db/tables/memberships.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/mail/free_email_domains.hpp"
#include "handlers/to_schema.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace handlers::workspaces {

awaitable<answer<schemas::page<schemas::workspace_row>>> list(call& c, query<schemas::page_query> wanted)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    page_cursor cursor(c, "workspaces");
    auto from = cursor.read(wanted->cursor);
    if (auto refusal = std::get_if<problem>(&from))
        co_return std::move(*refusal);
    auto limit = wanted->limit.value;
    auto after = std::get<std::optional<db::uuid>>(from);
    auto found =
        co_await db::memberships::list(c.cx.db, *c.caller().user_id, after, static_cast<int>(limit + 1));
    co_return make_page<schemas::workspace_row>(
        cursor, found.places, limit, found.total,
        [&](const db::memberships::place& place) { return to_workspace_row(place, c.caller()); });
}

awaitable<answer<schemas::workspace_row>> create(call& c, schemas::workspace_create body)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    auto& who = c.caller();
    std::span<const std::uint8_t> owner(who.user_id->begin(), who.user_id->size());
    if (auto over = count(c, limits::workspace_account, owner))
        co_return std::move(*over);

    trace from(c);
    auto id = crypto::make_uuid_v7();
    auto event = from.event("workspace.create");
    event.workspace_id = id;
    event.target = to_string(id);
    db::batch work;
    db::require_standing(work, who);
    db::workspaces::add_insert(work, id, body.name.value, *who.user_id);
    db::memberships::add_insert(work, id, *who.user_id, db::role::admin);
    db::audit::add(work, event);
    auto made = co_await c.cx.db.run(std::move(work));
    db::memberships::place place{made[1].as_one<db::workspaces::row>(),
                                 made[2].as_one<db::memberships::row>()};
    co_return to_workspace_row(place, who);
}

awaitable<answer<schemas::workspace_token>> switch_to(call& c)
{
    auto& who = c.caller();
    if (who.kind != db::principal::kind_type::session || !who.user_id)
        co_return problem::forbidden("forbidden",
                                     "A key belongs to one workspace, and never becomes another's.");
    auto wanted = schemas::parse_uuid(c.params[0]);
    if (!wanted)
        co_return problem::not_found();
    auto led = co_await lead_session(c, *wanted);
    if (!led)
        co_return problem::not_found();
    co_return std::move(*led);
}

namespace {

schemas::workspace_setup to_setup(const db::workspaces::setup& found)
{
    auto& row = found.workspace;
    schemas::workspace_setup out;
    out.id = row.id;
    out.name = row.name;
    out.owner_id = row.owner_id;
    out.created_at = row.created_at;
    out.members_can_mint_keys = row.members_can_mint_keys;
    out.join_policy = to_wire(row.join_policy);
    out.join_domain = row.join_domain;
    out.join_domain_verified = found.has_proved_domain;
    return out;
}

/** What a patch is about to change, for the audit trail. */
std::string changes_of(const db::workspaces::edit& edit)
{
    boost::json::object out;
    if (edit.name)
        out["name"] = *edit.name;
    if (edit.members_can_mint_keys)
        out["members_can_mint_keys"] = *edit.members_can_mint_keys;
    if (edit.join_policy)
        out["join_policy"] = schemas::to_text(to_wire(*edit.join_policy));
    if (edit.join_domain)
        out["join_domain"] =
            *edit.join_domain ? boost::json::value(**edit.join_domain) : boost::json::value();
    return boost::json::serialize(out);
}

} // namespace

awaitable<answer<schemas::workspace_setup>> show(call& c)
{
    auto found = co_await db::workspaces::find_setup(c.cx.db, *c.caller().workspace_id);
    if (!found)
        co_return problem::not_found();
    co_return to_setup(*found);
}

awaitable<answer<schemas::workspace_setup>> update(call& c, schemas::workspace_patch body)
{
    auto id = *c.caller().workspace_id;
    db::workspaces::edit edit;
    if (body.name)
        edit.name = body.name->value;
    edit.members_can_mint_keys = body.members_can_mint_keys;
    if (body.join_policy)
        edit.join_policy = from_wire(*body.join_policy);
    if (!body.join_domain.is_absent()) {
        edit.join_domain.emplace();
        if (body.join_domain.has_value())
            *edit.join_domain = body.join_domain->value;
    }
    if (edit.join_domain && *edit.join_domain && is_public_mail_provider(**edit.join_domain))
        co_return problem::invalid_field("body", "join_domain", "Anybody can have an address of this domain");

    trace from(c);
    auto event = from.event("workspace.update");
    event.target = to_string(id);
    event.details = changes_of(edit);
    db::batch work;
    work.within(id);
    db::require_sole_standing(work, c.caller()); // what is about to be changed is locked at once
    db::workspaces::add_update(work, id, edit);
    db::audit::add(work, event);
    db::change what;
    what.workspaces.push_back(id);
    auto answers = co_await c.cx.changes.commit(c.cx.db, std::move(work), std::move(what));
    auto changed = db::workspaces::read_setup(answers[1]);
    if (!changed)
        co_return problem::not_found();
    co_return to_setup(*changed);
}

} // namespace handlers::workspaces
