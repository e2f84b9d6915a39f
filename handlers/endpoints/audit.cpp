#include "handlers/endpoints/audit.hpp"

#include "db/tables/audit.hpp"
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

/** The filters in words, for the cursor: it is good for the list that it came from. */
std::string name_of(const schemas::audit_query& wanted)
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
    page_cursor cursor(c, name_of(wanted.value));
    auto from = cursor.read(wanted->cursor);
    if (auto refusal = std::get_if<problem>(&from))
        co_return std::move(*refusal);
    auto limit = wanted->limit.value;
    db::audit::query question;
    question.workspace_id = *c.caller().workspace_id;
    if (wanted->action)
        question.action = wanted->action->value;
    if (wanted->target)
        question.target = wanted->target->value;
    question.actor_id = wanted->actor;
    question.credential_id = wanted->credential;
    question.since = wanted->since;
    question.until = wanted->until;
    question.before = std::get<std::optional<db::uuid>>(from);
    question.limit = static_cast<int>(limit + 1);
    auto found = co_await db::audit::list(c.cx.db, std::move(question));
    co_return make_page<schemas::audit_row>(cursor, found.rows, limit, found.total, &to_row);
}

} // namespace handlers::audit
