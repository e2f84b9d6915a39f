#include "handlers/auth.hpp"

#include "handlers/body.hpp"
#include "handlers/convert.hpp"
#include "handlers/deps.hpp"

#include <boost/uuid/uuid_io.hpp>

#include <array>

namespace handlers::auth {

namespace {

/** What the proxy's configuration asks of `check`. */
struct question {
    std::optional<std::string> permission;
    bool deny_as_403 = false;
};

std::variant<question, problem> read_question(const request& req)
{
    question out;
    auto pairs = decode_query(req.query);
    if (!pairs)
        return problem::bad_request("The query string is not well-formed.");
    // A slip in a proxy's configuration must not open the door: what is not understood is refused.
    for (auto& [name, value] : *pairs) {
        if (name == "permission" && !out.permission)
            out.permission = std::move(value);
        else if (name == "deny_status" && !out.deny_as_403 && value == "403")
            out.deny_as_403 = true;
        else if (name == "permission" || name == "deny_status")
            return problem::invalid_field("query", name, "Input should be there once, deny_status be 403");
        else
            return problem::invalid_field("query", name, "There is no such parameter");
    }
    return out;
}

void add_id(reply& out, std::string_view name, const std::optional<db::uuid>& id)
{
    std::array<char, 36> text;
    if (id)
        boost::uuids::to_chars(*id, text.data());
    out.add_header(name, std::string_view(text.data(), id ? text.size() : 0));
}

std::string scopes_of(const db::principal& who)
{
    if (who.kind == db::principal::kind_type::session)
        return "*";
    std::string out;
    for (auto& scope : who.scopes) {
        if (!out.empty())
            out.push_back(' ');
        out += scope;
    }
    return out;
}

reply identify(const db::principal& who)
{
    reply out;
    out.content_type = {};
    out.headers.reserve(256);
    add_id(out, "X-User-Id", who.user_id);
    add_id(out, "X-Workspace-Id", who.workspace_id);
    out.add_header("X-Role", who.role ? schemas::to_text(to_wire(*who.role)) : std::string_view());
    out.add_header("X-Scopes", scopes_of(who));
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

reply check(call& c)
{
    if (c.req.query.empty())
        return identify(c.caller());
    auto asked = read_question(c.req);
    if (auto fault = std::get_if<problem>(&asked))
        return to_reply(*fault);
    auto& [permission, deny_as_403] = std::get<question>(asked);
    if (!permission)
        return identify(c.caller());
    if (!c.cx.permissions.knows(*permission))
        return to_reply(problem::invalid_field("query", "permission", "There is no such permission"));
    if (!may(c, *permission))
        return deny(problem::forbidden_scope(*permission), deny_as_403);
    return identify(c.caller());
}

reply refuse(call& c, const problem& why)
{
    auto asked = read_question(c.req);
    auto wish = std::get_if<question>(&asked);
    return deny(why, wish && wish->deny_as_403);
}

reply jwks(call& c)
{
    reply out;
    out.body = c.cx.jwt->jwks();
    out.cache_control = "public, max-age=600";
    return out;
}

} // namespace handlers::auth
