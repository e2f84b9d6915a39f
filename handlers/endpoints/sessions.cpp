#include "handlers/endpoints/sessions.hpp"

#include "crypto/random.hpp"
#include "db/tables/sessions.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/unit_of_work.hpp"
#include "handlers/to_schema.hpp"
#include "schemas/engine/schema.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers::sessions {

namespace {

problem invalid_refresh_token()
{
    return problem::rejected_credential("The refresh token is not valid.");
}

db::sessions::refresh_request make_request(const call& c, const audit_context& origin,
                                           const refresh_token& token, std::optional<db::uuid> workspace)
{
    db::sessions::refresh_request out;
    out.id = token.session;
    out.counter = token.counter;
    out.ip = origin.ip();
    out.user_agent = origin.agent();
    out.workspace_id = workspace;
    out.new_expiry = c.cx.now() + c.cx.config.refresh_token_ttl;
    out.max_age = c.cx.config.session_max_age;
    out.audit_id = crypto::make_uuid_v7();
    out.request_id = origin.request_id();
    return out;
}

} // namespace

awaitable<answer<schemas::login_result>> refresh(call& c, schemas::refresh body)
{
    auto token = parse_refresh_token(body.refresh_token.value);
    if (!token)
        co_return invalid_refresh_token();
    auto salt = co_await db::sessions::find_refresh_salt(c.cx.db, token->session);
    if (!salt || !is_authentic(c.cx, *token, *salt))
        co_return invalid_refresh_token();
    if (body.workspace_id) {
        bool can_switch = co_await db::sessions::can_switch_to(c.cx.db, token->session, *body.workspace_id);
        if (!can_switch)
            co_return problem::of(codes::not_found);
    }

    unit_of_work tx(c, credential_check::none);
    auto request = make_request(c, tx.origin(), *token, body.workspace_id);
    auto refreshed = co_await db::sessions::refresh(tx.release(), std::move(request));
    if (!refreshed.account)
        co_return invalid_refresh_token();
    auto& [user, login_workspace] = *refreshed.account;
    if (auto refused = check_account(c.cx.config, user))
        co_return std::move(*refused);

    schemas::login_result out;
    if (login_workspace)
        out.workspace = to_workspace(login_workspace->workspace);
    auto workspace = to_token_workspace(login_workspace);
    issue_tokens(c.cx, {user.id, token->session, workspace, refreshed.expires_at, refreshed.counter, *salt},
                 out);
    out.user = to_user(c.cx.config, user);
    co_return out;
}

awaitable<answer<no_content>> logout(call& c)
{
    auto& caller = c.caller();
    if (caller.kind != db::principal::kind_type::session || !caller.user_id)
        co_return problem::of(codes::not_a_session);
    unit_of_work tx(c, credential_check::none);
    auto event = tx.event("session.logout", to_string(caller.credential_id));
    if (!caller.role)
        event.workspace_id.reset(); // the user of the token has left it
    co_await db::sessions::revoke(tx.release(), caller.credential_id, *caller.user_id, std::move(event));
    co_return no_content();
}

awaitable<answer<schemas::page<schemas::session_row>>> list(call& c, query<schemas::page_query> wanted)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    auto fetch = [&c](std::optional<db::uuid> before, int limit) {
        return db::sessions::list(c.cx.db, *c.caller().user_id, c.cx.config.session_max_age, before, limit);
    };
    auto convert = [&c](const db::sessions::row& row) { return to_session(row, c.caller()); };
    co_return co_await paginate<schemas::session_row>(c, wanted.value, "sessions", fetch, convert);
}

awaitable<answer<no_content>> end(call& c)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    auto id = schemas::parse_uuid(c.params[0]);
    if (!id)
        co_return problem::of(codes::not_found);
    unit_of_work tx(c, credential_check::none);
    auto event = tx.event("session.end", c.params[0]);
    bool found = co_await db::sessions::revoke(tx.release(), *id, *c.caller().user_id, std::move(event));
    if (!found)
        co_return problem::of(codes::not_found);
    co_return no_content();
}

awaitable<answer<no_content>> end_others(call& c)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    auto& caller = c.caller();
    unit_of_work tx(c, credential_check::none);
    auto event = tx.event("session.end_others");
    co_await db::sessions::revoke_others(tx.release(), *caller.user_id, caller.credential_id,
                                         std::move(event));
    co_return no_content();
}

} // namespace handlers::sessions
