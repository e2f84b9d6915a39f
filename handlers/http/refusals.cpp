#include "handlers/http/refusals.hpp"

#include "db/principals/last_used.hpp"
#include "db/tables/refusals.hpp"
#include "handlers/http/audit_context.hpp"

#include <boost/json/object.hpp>
#include <boost/json/serialize.hpp>
#include <boost/uuid/uuid_io.hpp>

#include <utility>

namespace handlers {

void count_refusal(const call& c)
{
    if (!std::exchange(c.is_counted_refused, true))
        c.cx.last_used.count_refusal(c.caller(), c.cx.coarse_now());
}

problem deny_permission(const call& c, std::string_view permission)
{
    auto& caller = c.caller();
    count_refusal(c);
    if (caller.workspace_id)
        c.cx.refusals.record(db::audit::refusal::denied_access, caller.credential_id, c.cx.now(), [&] {
            auto event = audit_context(c).event("access.denied");
            boost::json::object details{{"required", permission}};
            event.details = boost::json::serialize(details);
            return event;
        });
    return problem::forbidden_scope(permission);
}

void record_failed_login(const call& c, const db::uuid& account)
{
    c.cx.refusals.record(db::audit::refusal::failed_login, account, c.cx.now(), [&] {
        auto event = audit_context(c).event("login.failed");
        event.target = to_string(account);
        return event;
    });
}

} // namespace handlers
