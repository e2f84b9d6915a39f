#include "handlers/endpoints/workspaces.hpp"

#include "crypto/random.hpp"
#include "db/postgres/batch.hpp"
#include "db/postgres/pool.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/memberships.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/request_limits.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/mail/free_email_domains.hpp"
#include "handlers/to_schema.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

namespace handlers::workspaces {

awaitable<answer<schemas::page<schemas::workspace_row>>> list(call& c, query<schemas::page_query> wanted)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    auto fetch = [&c](std::optional<db::uuid> after, int limit) {
        return db::memberships::list(c.cx.db, *c.caller().user_id, after, limit);
    };
    auto convert = [&c](const db::memberships::workspace_membership& row) {
        return to_workspace_row(row, c.caller());
    };
    co_return co_await paginate<schemas::workspace_row>(c, wanted.value, "workspaces", fetch, convert);
}

awaitable<answer<schemas::workspace_row>> create(call& c, schemas::workspace_create body)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    auto& owner = *c.caller().user_id;
    std::span<const std::uint8_t> owner_bytes(owner.begin(), owner.size());
    if (auto over = co_await count_request(c, rate_limits::workspace_account, owner_bytes))
        co_return std::move(*over);

    unit_of_work tx(c);
    auto id = crypto::make_uuid_v7();
    auto event = tx.event("workspace.create", to_string(id));
    event.workspace_id = id;
    db::workspaces::add_insert(tx.batch(), id, body.name.value, owner);
    db::memberships::add_insert(tx.batch(), id, owner, db::role::admin);
    tx.audit(event);
    auto rows = co_await tx.commit_without_invalidation();
    db::memberships::workspace_membership created{rows[1].as_one<db::workspaces::row>(),
                                                  rows[2].as_one<db::memberships::row>()};
    co_return to_workspace_row(created, c.caller());
}

awaitable<answer<schemas::workspace_token>> switch_to(call& c)
{
    auto& caller = c.caller();
    if (caller.kind != db::principal::kind_type::session || !caller.user_id)
        co_return problem::of(codes::forbidden, "An API key belongs to one workspace and cannot switch.");
    auto workspace = schemas::parse_uuid(c.params[0]);
    if (!workspace)
        co_return problem::of(codes::not_found);
    auto switched = co_await switch_workspace(c, *workspace);
    if (!switched)
        co_return problem::of(codes::not_found);
    co_return std::move(*switched);
}

namespace {

schemas::workspace_settings to_setup(const db::workspaces::setup& found)
{
    auto& row = found.workspace;
    schemas::workspace_settings out;
    out.id = row.id;
    out.name = row.name;
    out.owner_id = row.owner_id;
    out.created_at = row.created_at;
    out.members_can_mint_keys = row.members_can_mint_keys;
    out.join_policy = to_wire(row.join_policy);
    out.join_domain = row.join_domain;
    out.join_domain_verified = found.has_verified_domain;
    return out;
}

/// The changed members, for the audit trail.
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

awaitable<answer<schemas::workspace_settings>> show(call& c)
{
    auto found = co_await db::workspaces::find_setup(c.cx.db, *c.caller().workspace_id);
    if (!found)
        co_return problem::of(codes::not_found);
    co_return to_setup(*found);
}

awaitable<answer<schemas::workspace_settings>> update(call& c, schemas::workspace_patch body)
{
    auto id = *c.caller().workspace_id;
    db::workspaces::edit edit;
    edit.user_id = c.caller().user_id;
    if (!edit.user_id)
        edit.key_id = c.caller().credential_id;
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
    if (edit.join_domain && *edit.join_domain && is_free_email_domain(**edit.join_domain))
        co_return problem::invalid_field("body", "join_domain", "is the domain of a public email provider");

    // The exclusive check locks the workspace, which the update needs anyway.
    unit_of_work tx(c, credential_check::exclusive);
    tx.batch().in_workspace(id);
    auto event = tx.event("workspace.update", to_string(id));
    event.details = changes_of(edit);
    db::workspaces::add_update(tx.batch(), id, edit);
    tx.audit(event);
    tx.affects_workspace(id);
    auto rows = co_await tx.commit();
    auto changed = db::workspaces::read_setup(rows[1]);
    if (!changed)
        co_return problem::of(codes::not_found);
    co_return to_setup(*changed);
}

} // namespace handlers::workspaces
