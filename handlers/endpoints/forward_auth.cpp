#include "handlers/endpoints/forward_auth.hpp"

#include "handlers/http/guards.hpp"
#include "handlers/http/input.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <array>

namespace handlers::auth {

namespace {

void add_id(reply& out, std::string_view name, const std::optional<db::uuid>& id)
{
    std::array<char, 36> text;
    if (id)
        boost::uuids::to_chars(*id, text.data());
    out.add_header(name, std::string_view(text.data(), id ? text.size() : 0));
}

reply identify(const db::principal& who)
{
    reply out;
    out.content_type = {};
    out.headers.reserve(256);
    add_id(out, "X-User-Id", who.user_id);
    add_id(out, "X-Workspace-Id", who.workspace_id);
    out.add_header("X-Role", who.role ? schemas::to_text(to_wire(*who.role)) : std::string_view());
    out.add_header("X-Scopes", scopes_text(who));
    add_id(out, "X-Credential-Id", who.credential_id);
    return out;
}

reply deny(const problem& why, bool as_403)
{
    auto out = to_reply(why);
    if (as_403 && (why.status == 403 || why.status == 429)) {
        out.status = 403;
        out.add_header("X-Auth-Reason", why.code);
    }
    return out;
}

} // namespace

reply check(call& c, query<schemas::auth_query> asked)
{
    if (!asked->permission)
        return identify(c.caller());
    std::string_view permission = asked->permission->value;
    if (!c.cx.permissions.knows(permission))
        return to_reply(problem::invalid_field("query", "permission", "There is no such permission"));
    if (!may(c, permission))
        return deny(problem::forbidden_scope(permission), asked->deny_status.has_value());
    return identify(c.caller());
}

reply refuse(call& c, const problem& why)
{
    auto asked = read_query<schemas::auth_query>(c.req);
    auto wish = std::get_if<schemas::auth_query>(&asked);
    return deny(why, wish && wish->deny_status);
}

reply jwks(call& c)
{
    reply out;
    out.body = c.cx.jwt->jwks();
    out.cache_control = "public, max-age=600";
    return out;
}

} // namespace handlers::auth
