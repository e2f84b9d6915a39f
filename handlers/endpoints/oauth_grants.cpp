#include "handlers/endpoints/oauth_grants.hpp"

#include "db/tables/oauth.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/guards.hpp"

namespace handlers::oauth_grants {

awaitable<answer<schemas::page<schemas::oauth_grant>>> list(call& c)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    auto found = co_await db::oauth::list(c.cx.db, *c.caller().user_id);
    schemas::page<schemas::oauth_grant> out;
    for (auto& grant : found)
        out.items.push_back({grant.provider, grant.email, grant.created_at, grant.last_used_at});
    out.total = static_cast<std::int64_t>(found.size());
    co_return out;
}

awaitable<answer<nothing>> remove(call& c)
{
    if (auto refusal = require_person(c))
        co_return std::move(*refusal);
    trace from(c);
    auto event = from.event("oauth.unlink");
    event.target = c.params[0];
    auto outcome = co_await db::oauth::remove(c.cx.db, *c.caller().user_id, c.params[0], event);
    if (outcome == db::oauth::removal::unknown)
        co_return problem::not_found();
    if (outcome == db::oauth::removal::last_way_in)
        co_return problem::conflict("conflict", "This is the only way to sign in: set a password first.");
    co_return nothing();
}

} // namespace handlers::oauth_grants
