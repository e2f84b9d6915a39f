#include "handlers/endpoints/forward_auth.hpp"

#include "crypto/jwt.hpp"
#include "handlers/access/permissions.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/input.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/refusals.hpp"
#include "handlers/to_schema.hpp"
#include "schemas/engine/builtin_rules.hpp"

#include <string>

namespace handlers::forward_auth {

namespace {

/// @param begin of the line: "Name: "
void append_id(std::string& out, std::string_view begin, const std::optional<db::uuid>& id)
{
    out.append(begin);
    if (id)
        schemas::append_uuid(out, *id);
    out.append("\r\n");
}

reply allow(call& c)
{
    auto& caller = c.caller();
    reply out;
    out.content_type = {};
    auto& lines = out.headers;
    lines = c.cx.spare_headers.take();
    append_id(lines, "X-User-Id: ", caller.user_id);
    append_id(lines, "X-Workspace-Id: ", caller.workspace_id);
    lines.append("X-Role: ");
    if (caller.role)
        lines.append(schemas::to_text(to_wire(*caller.role)));
    lines.append("\r\nX-Scopes: ").append(scopes_text(caller)); // names that the schemas have validated
    append_id(lines, "\r\nX-Credential-Id: ", caller.credential_id);
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
        return allow(c);
    std::string_view permission = asked->permission->value;
    if (!c.cx.permissions.knows(permission))
        return to_reply(problem::invalid_field("query", "permission", "is not a known permission"));
    if (!has_permission(c, permission))
        return deny(deny_permission(c, permission), asked->deny_status.has_value());
    return allow(c);
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
