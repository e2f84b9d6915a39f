#include "handlers/endpoints/introspection.hpp"

#include "crypto/api_key.hpp"
#include "crypto/jwt.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/api_keys.hpp"
#include "db/tables/sessions.hpp"
#include "handlers/access/permissions.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/context.hpp"
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

/// The claims of a JWT that its cached principal does not hold.
void add_claims(const call& c, std::string_view token, schemas::introspection& out)
{
    auto& issuer = c.cx.config.public_url;
    auto checked = c.cx.jwt->verify(token, issuer, issuer, seconds_of(c.cx.now()));
    if (auto claims = std::get_if<crypto::claims>(&checked)) {
        out.iat = claims->issued_at;
        out.jti = claims->token_id;
    }
}

/// Revokes a key without a notice to its owner, which is for leaked keys.
awaitable<void> revoke_key(call& c, db::digest digest)
{
    // Refers to the key's workspace alone, so the caller's is not locked.
    db::transaction tx(c.cx.changes, c.cx.db);
    auto event = audit_context(c).event("api_key.revoke");
    co_await db::api_keys::revoke_by_digest(std::move(tx), digest, std::move(event), std::nullopt);
}

awaitable<void> end_session(call& c, db::uuid session)
{
    // Refers to the session's workspace alone, so the caller's is not locked.
    db::transaction tx(c.cx.changes, c.cx.db);
    auto event = audit_context(c).event("session.revoke");
    event.target = to_string(session);
    co_await db::sessions::end(std::move(tx), session, std::move(event));
}

awaitable<void> revoke_by_refresh_token(call& c, std::string text)
{
    auto token = parse_refresh_token(text);
    if (!token)
        co_return;
    auto salt = co_await db::sessions::find_salt(c.cx.db, token->session);
    if (salt && is_authentic(c.cx, *token, *salt))
        co_await end_session(c, token->session);
}

} // namespace

awaitable<answer<schemas::introspection>> inspect(call& c, form<schemas::introspection_request> body)
{
    schemas::introspection out;
    auto& token = body->token.value;
    auto found = co_await find_bearer_principal(c, token);
    if (!found || is_unverified(c, *found) || found->workspace_id != c.caller().workspace_id)
        co_return out;
    out.active = true;
    out.scope = std::string(scopes_text(*found));
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

awaitable<answer<no_content>> revoke(call& c, form<schemas::revocation_request> body)
{
    auto& token = body->token.value;
    c.principal = co_await find_bearer_principal(c, token); // the actor of the audit event
    // Also for a credential that has ended: a repeated call waits for all nodes as the first one does.
    if (crypto::parse_api_key(token))
        co_await revoke_key(c, c.cx.key_digest(token));
    else if (auto session = find_signed_session(c, token))
        co_await end_session(c, *session);
    else
        co_await revoke_by_refresh_token(c, token);
    co_return no_content();
}

} // namespace handlers::introspection
