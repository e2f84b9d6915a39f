#include "handlers/endpoints/oauth_grants.hpp"

#include "db/tables/oauth.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/guards.hpp"
#include "handlers/http/problem.hpp"

namespace handlers::oauth_grants {

awaitable<answer<schemas::page<schemas::oauth_grant>>> list(call& c)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    auto found = co_await db::oauth::list(c.cx.db, *c.caller().user_id);
    schemas::page<schemas::oauth_grant> out;
    for (auto& grant : found)
        out.items.push_back(
            {grant.provider, grant.issuer, grant.email, grant.created_at, grant.last_used_at});
    out.total = static_cast<std::int64_t>(found.size());
    co_return out;
}

awaitable<answer<no_content>> remove(call& c)
{
    if (auto refused = require_user(c))
        co_return std::move(*refused);
    auto event = audit_context(c).event("oauth.unlink");
    event.target = c.params[0];
    auto outcome = co_await db::oauth::remove(c.cx.db, *c.caller().user_id, c.params[0], std::move(event));
    if (outcome == db::oauth::removal::unknown)
        co_return problem::of(codes::not_found);
    if (outcome == db::oauth::removal::last_sign_in_method)
        co_return problem::of(codes::conflict,
                              "This is the account's only sign-in method; set a password first.");
    co_return no_content();
}

} // namespace handlers::oauth_grants
