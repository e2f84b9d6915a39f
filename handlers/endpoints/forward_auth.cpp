#include "handlers/endpoints/forward_auth.hpp"

#include "crypto/jwt.hpp"
#include "handlers/access/permissions.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/input.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/refusals.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <array>

namespace handlers::forward_auth {

namespace {

void add_id(reply& out, std::string_view name, const std::optional<db::uuid>& id)
{
    std::array<char, 36> text;
    if (id)
        boost::uuids::to_chars(*id, text.data());
    out.add_header(name, std::string_view(text.data(), id ? text.size() : 0));
}

reply allow(const db::principal& caller)
{
    reply out;
    out.content_type = {};
    out.headers.reserve(256);
    add_id(out, "X-User-Id", caller.user_id);
    add_id(out, "X-Workspace-Id", caller.workspace_id);
    out.add_header("X-Role", caller.role ? schemas::to_text(to_wire(*caller.role)) : std::string_view());
    out.add_header("X-Scopes", scopes_text(caller));
    add_id(out, "X-Credential-Id", caller.credential_id);
    return out;
}

reply deny(const problem& error, bool as_403)
{
    auto out = to_reply(error);
    if (as_403 && (out.status == 403 || out.status == 429)) {
        out.status = 403;
        out.add_header("X-Auth-Reason", error.code.name());
    }
    return out;
}

} // namespace

reply check(call& c, query<schemas::auth_query> asked)
{
    if (!asked->permission)
        return allow(c.caller());
    std::string_view permission = asked->permission->value;
    if (!c.cx.permissions.knows(permission))
        return to_reply(problem::invalid_field("query", "permission", "is not a known permission"));
    if (!has_permission(c, permission))
        return deny(deny_permission(c, permission), asked->deny_status.has_value());
    return allow(c.caller());
}

reply reject(call& c, const problem& error)
{
    auto asked = read_query<schemas::auth_query>(c.req);
    return deny(error, asked && asked->deny_status);
}

reply jwks(call& c)
{
    reply out;
    out.body = c.cx.jwt->jwks();
    out.cache_control = "public, max-age=600";
    return out;
}

} // namespace handlers::forward_auth
