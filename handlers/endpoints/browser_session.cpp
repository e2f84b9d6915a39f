#include "handlers/endpoints/browser_session.hpp"

#include "db/principals/principal.hpp"
#include "db/tables/browser_sessions.hpp"
#include "handlers/access/permissions.hpp"
#include "handlers/authn/session_cookie.hpp"
#include "handlers/authn/session_issuer.hpp"
#include "handlers/authn/session_tokens.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/request_limits.hpp"
#include "handlers/to_schema.hpp"
#include "schemas/engine/schema.hpp"

#include <utility>

namespace handlers::browser {

namespace {

reply empty_reply()
{
    reply out;
    out.status = 204;
    out.content_type = {};
    return out;
}

void add_deletion(const call& c, reply& out)
{
    if (auto deleted = delete_session_cookie(c.cx.config); !deleted.empty())
        out.add_header("Set-Cookie", deleted);
}

/// Renews the session of the cookie, and counts the request. @return 401, 429
awaitable<result<db::browser_sessions::renewed>> renew(call& c, std::optional<db::uuid> workspace)
{
    auto cookie = read_session_cookie(c);
    if (!cookie)
        co_return co_await reject_counted(c, problem::of(codes::unauthorized));
    if (auto over = check_credential_limit(c, *cookie))
        co_return std::move(*over);
    auto place = enter_lookup(c);
    if (!place)
        co_return place.error();
    auto& config = c.cx.config;
    db::browser_sessions::renewal use;
    use.cookie = *cookie;
    use.new_expiry = c.cx.now() + config.refresh_token_ttl;
    use.max_age = config.session_max_age;
    use.workspace_id = workspace;
    auto renewed = co_await db::browser_sessions::renew(c.cx.db, use);
    place->reset();
    if (!renewed)
        co_return co_await reject_counted(
            c, problem::of(codes::unauthorized, "The browser's session has ended."));
    if (auto over = co_await count_credential(c, *cookie))
        co_return std::move(*over);
    if (auto over = co_await count_credential(c, renewed->session.id))
        co_return std::move(*over);
    co_return std::move(*renewed);
}

} // namespace

awaitable<reply> open(call& c)
{
    auto cookie = co_await open_browser_session(c);
    if (!cookie)
        co_return to_reply(cookie.error());
    auto out = empty_reply();
    out.add_header("Set-Cookie", *cookie);
    co_return out;
}

awaitable<reply> close(call& c)
{
    co_await end_browser_session(c);
    auto out = empty_reply();
    add_deletion(c, out);
    co_return out;
}

awaitable<reply> issue_token(call& c, std::optional<schemas::browser_token_request> body)
{
    auto wanted = body ? body->workspace_id : std::nullopt;
    auto renewed = co_await renew(c, wanted);
    if (!renewed) // the cookie stays: the response may overtake one that has replaced it
        co_return to_reply(renewed.error());
    auto& [user, workspace] = renewed->account;
    if (auto refused = check_account(c.cx.config, user))
        co_return to_reply(*refused);
    if (wanted && !workspace)
        co_return to_reply(problem::of(codes::not_found));

    token_subject subject;
    subject.user = user.id;
    subject.session = renewed->session.id;
    subject.workspace = to_token_workspace(workspace);
    subject.session_expires = renewed->session.expires_at;
    auto access = make_access_token(c.cx, subject);
    schemas::browser_token made;
    made.access_token = std::move(access.text);
    made.expires_in = access.expires_in;
    made.user = to_user(c.cx.config, user);
    db::principal caller;
    if (workspace) {
        made.workspace = to_workspace(workspace->workspace);
        caller.role = subject.workspace->role;
        made.role = to_wire(*caller.role);
    }
    made.permissions = c.cx.permissions.effective(caller);
    reply out;
    schemas::append_json(out.body, made);
    co_return out;
}

} // namespace handlers::browser
