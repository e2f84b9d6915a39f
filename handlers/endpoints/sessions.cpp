#include "handlers/endpoints/sessions.hpp"

#include "crypto/random.hpp"
#include "db/tables/sessions.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/to_schema.hpp"
#include "schemas/engine/rule.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers::sessions {

namespace {

problem refused()
{
    return problem::invalid_token("The refresh token is not valid.");
}

} // namespace

awaitable<answer<schemas::login_result>> refresh(call& c, schemas::refresh body)
{
    auto token = read_refresh_token(body.refresh_token.value);
    if (!token)
        co_return refused();
    auto salt = co_await db::sessions::find_refresh_salt(c.cx.db, token->session);
    if (!salt || !is_genuine(c.cx, *token, *salt))
        co_return refused();

    if (body.workspace_id) {
        bool known = co_await db::sessions::can_lead_to(c.cx.db, token->session, *body.workspace_id);
        if (!known)
            co_return problem::not_found();
    }

    trace from(c);
    db::sessions::attempt spend;
    spend.id = token->session;
    spend.counter = token->counter;
    spend.ip = from.ip();
    spend.user_agent = from.agent();
    spend.workspace_id = body.workspace_id;
    spend.new_expiry = c.cx.now() + c.cx.config.refresh_token_ttl;
    spend.audit_id = crypto::make_uuid_v7();
    spend.request_id = from.request_id();
    auto spent = co_await db::sessions::refresh(c.cx.changes, c.cx.db, std::move(spend));
    if (!spent.account)
        co_return refused();

    auto& [user, place] = *spent.account;
    if (auto refusal = check_account(c.cx.config, user))
        co_return std::move(*refusal);
    std::optional<db::uuid> workspace;
    std::optional<db::role> role;
    schemas::login_result out;
    if (place) {
        workspace = place->workspace.id;
        role = place->membership.role;
        out.workspace = to_workspace(place->workspace);
    }
    issue_tokens(c.cx, {user.id, token->session, workspace, role, spent.counter, *salt}, out);
    out.user = to_user(c.cx.config, user);
    co_return out;
}

awaitable<answer<nothing>> logout(call& c)
{
    auto& who = c.caller();
    if (who.kind != db::principal::kind_type::session || !who.user_id) {
        auto not_ours = problem::bad_request("An API key has no session; revoke it instead.");
        not_ours.code = "not_a_session";
        co_return not_ours;
    }
    trace from(c);
    auto event = from.event("session.logout");
    event.target = to_string(who.credential_id);
    co_await db::sessions::revoke(c.cx.changes, c.cx.db, who.credential_id, *who.user_id, event);
    co_return nothing();
}

awaitable<answer<schemas::page<schemas::session_row>>> list(call& c, query<schemas::page_query> wanted)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    page_cursor cursor(c, "sessions");
    auto from = cursor.read(wanted->cursor);
    if (auto refusal = std::get_if<problem>(&from))
        co_return std::move(*refusal);
    auto limit = wanted->limit.value;
    auto before = std::get<std::optional<db::uuid>>(from);
    auto found =
        co_await db::sessions::list(c.cx.db, *c.caller().user_id, before, static_cast<int>(limit + 1));
    co_return make_page<schemas::session_row>(cursor, found.rows, limit, found.total,
                                              [&](const auto& row) { return to_session(row, c.caller()); });
}

awaitable<answer<nothing>> end(call& c)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    auto id = schemas::parse_uuid(c.params[0]);
    if (!id)
        co_return problem::not_found();
    trace from(c);
    auto event = from.event("session.end");
    event.target = c.params[0];
    bool known = co_await db::sessions::revoke(c.cx.changes, c.cx.db, *id, *c.caller().user_id, event);
    if (!known)
        co_return problem::not_found();
    co_return nothing();
}

awaitable<answer<nothing>> end_others(call& c)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    auto& who = c.caller();
    trace from(c);
    auto event = from.event("session.end_others");
    co_await db::sessions::revoke_others(c.cx.changes, c.cx.db, *who.user_id, who.credential_id, event);
    co_return nothing();
}

} // namespace handlers::sessions
