#include "handlers/endpoints/introspection.hpp"

#include "db/tables/api_keys.hpp"
#include "db/tables/sessions.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers::introspection {

namespace {

using principal_kind = db::principal::kind_type;

std::int64_t seconds_of(db::timestamp at)
{
    return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

/** What a token says of itself, which is not remembered of it. */
void add_claims(const call& c, std::string_view token, schemas::introspection& out)
{
    auto& issuer = c.cx.config.public_url;
    auto checked = c.cx.jwt->verify(token, issuer, issuer, seconds_of(c.cx.now()));
    if (auto claims = std::get_if<crypto::claims>(&checked)) {
        out.iat = claims->issued_at;
        out.jti = claims->token_id;
    }
}

/** The letter that tells a key's owner is for keys that were found; who revokes their own knows. */
awaitable<void> revoke_key(call& c, db::digest digest)
{
    trace from(c);
    auto event = from.event("api_key.revoke");
    co_await db::api_keys::revoke_by_digest(c.cx.changes, c.cx.db, digest, event, std::nullopt);
}

awaitable<void> end_session(call& c, db::uuid session)
{
    trace from(c);
    auto event = from.event("session.revoke");
    event.target = to_string(session);
    co_await db::sessions::end(c.cx.changes, c.cx.db, session, event);
}

awaitable<void> revoke_by_refresh_token(call& c, std::string text)
{
    auto token = read_refresh_token(text);
    if (!token)
        co_return;
    auto salt = co_await db::sessions::find_refresh_salt(c.cx.db, token->session);
    if (salt && is_genuine(c.cx, *token, *salt))
        co_await end_session(c, token->session);
}

} // namespace

awaitable<answer<schemas::introspection>> inspect(call& c, form<schemas::introspection_request> body)
{
    schemas::introspection out;
    auto& token = body->token.value;
    auto found = co_await find_bearer(c, token);
    if (!found || is_unverified(c, *found) || found->workspace_id != c.caller().workspace_id)
        co_return out;
    out.active = true;
    out.scope = scopes_text(*found);
    out.token_type = "Bearer";
    out.iss = out.aud = c.cx.config.public_url;
    if (found->expires_at)
        out.exp = seconds_of(*found->expires_at);
    if (found->user_id)
        out.sub = *found->user_id;
    out.sid = found->credential_id;
    out.wid = *found->workspace_id;
    if (found->role)
        out.role = to_wire(*found->role);
    out.credential = to_credential(*found).type;
    out.permissions = c.cx.permissions.effective(*found);
    if (found->kind == principal_kind::session)
        add_claims(c, token, out);
    else
        out.jti = to_string(found->credential_id);
    co_return out;
}

awaitable<answer<nothing>> revoke(call& c, form<schemas::revocation_request> body)
{
    auto& token = body->token.value;
    c.who = co_await find_bearer(c, token); // the token itself is who acts
    if (!c.who)
        co_await revoke_by_refresh_token(c, token);
    else if (c.who->kind == principal_kind::api_key)
        co_await revoke_key(c, c.who->digest);
    else
        co_await end_session(c, c.who->credential_id);
    co_return nothing();
}

} // namespace handlers::introspection
