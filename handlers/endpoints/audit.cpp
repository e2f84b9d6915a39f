#include "handlers/endpoints/audit.hpp"

#include "db/tables/audit.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/pagination.hpp"
#include "schemas/engine/timestamp.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers::audit {

namespace {

schemas::audit_row to_row(const db::audit::row& event)
{
    schemas::audit_row out;
    out.id = event.id;
    out.at = event.at;
    out.action = event.action;
    out.actor = {event.actor_id, event.credential_id};
    out.target = event.target;
    out.ip = event.ip;
    out.user_agent = event.user_agent;
    out.request_id = event.request_id;
    out.details.text = event.details;
    return out;
}

/// The name of the list with its filters, which its cursors are bound to.
std::string list_name(const schemas::audit_query& wanted)
{
    std::string out = "audit";
    auto add = [&out](std::string_view name, std::string_view value) {
        out.append("&").append(name).append("=").append(value);
    };
    if (wanted.action)
        add("action", wanted.action->value);
    if (wanted.actor)
        add("actor", to_string(*wanted.actor));
    if (wanted.credential)
        add("credential", to_string(*wanted.credential));
    if (wanted.target)
        add("target", wanted.target->value);
    for (auto& [name, instant] : {std::pair("since", wanted.since), std::pair("until", wanted.until)})
        if (instant) {
            std::string text;
            schemas::append_timestamp(text, *instant);
            add(name, text);
        }
    return out;
}

} // namespace

awaitable<answer<schemas::page<schemas::audit_row>>> list(call& c, query<schemas::audit_query> wanted)
{
    db::audit::query events;
    events.workspace_id = *c.caller().workspace_id;
    if (wanted->action)
        events.action = wanted->action->value;
    if (wanted->target)
        events.target = wanted->target->value;
    events.actor_id = wanted->actor;
    events.credential_id = wanted->credential;
    events.since = wanted->since;
    events.until = wanted->until;
    auto fetch = [&c, events](std::optional<db::uuid> before, int limit) mutable {
        events.before = before;
        events.limit = limit;
        return db::audit::list(c.cx.db, events);
    };
    co_return co_await paginate<schemas::audit_row>(c, wanted.value, list_name(wanted.value), fetch, &to_row);
}

} // namespace handlers::audit
