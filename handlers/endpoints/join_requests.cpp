#include "handlers/endpoints/join_requests.hpp"

#include "db/tables/credential_checks.hpp"
#include "db/tables/join_requests.hpp"
#include "db/tables/team.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/mail/queue_mail.hpp"
#include "handlers/to_schema.hpp"

#include <boost/uuid/uuid_io.hpp>

namespace handlers::join_requests {

namespace {

schemas::join_request to_request(const db::join_requests::row& row)
{
    schemas::join_request out;
    out.user_id = row.user_id;
    out.email = row.email;
    out.name = row.name;
    out.email_verified = row.email_verified;
    out.requested_at = row.created_at;
    return out;
}

/** Who waits under the id in the path. */
awaitable<std::variant<db::join_requests::row, problem>> find_waiting(call& c)
{
    auto id = schemas::parse_uuid(c.params[0]);
    if (!id)
        co_return problem::not_found();
    auto found = co_await db::join_requests::find(c.cx.db, *c.caller().workspace_id, *id);
    if (!found)
        co_return problem::not_found();
    co_return std::move(*found);
}

awaitable<db::outbox::draft> letter_of(call& c, db::outbox::kind what)
{
    boost::json::object facts;
    auto workspace = co_await db::workspaces::find(c.cx.db, *c.caller().workspace_id);
    if (workspace)
        facts["workspace"] = workspace->name;
    co_return make_letter(c.cx, what, facts);
}

} // namespace

awaitable<answer<schemas::page<schemas::join_request>>> list(call& c, query<schemas::page_query> wanted)
{
    page_cursor cursor(c, "requests");
    auto from = cursor.read(wanted->cursor);
    if (auto refusal = std::get_if<problem>(&from))
        co_return std::move(*refusal);
    auto limit = wanted->limit.value;
    auto after = std::get<std::optional<db::uuid>>(from);
    auto found = co_await db::join_requests::list(c.cx.db, *c.caller().workspace_id, after,
                                                  static_cast<int>(limit + 1));
    co_return make_page<schemas::join_request>(cursor, found.rows, limit, found.total, &to_request);
}

awaitable<answer<schemas::team_row>> approve(call& c)
{
    auto waiting = co_await find_waiting(c);
    if (auto refusal = std::get_if<problem>(&waiting))
        co_return std::move(*refusal);
    auto& person = std::get<db::join_requests::row>(waiting);
    if (!person.email_verified)
        co_return problem::conflict("email_not_verified",
                                    "They have yet to prove that the address is theirs.");

    auto& who = c.caller();
    trace from(c);
    auto event = from.event("request.approve");
    event.target = to_string(person.user_id);
    auto letter = co_await letter_of(c, db::outbox::kind::approval_given);
    db::batch work;
    db::require_standing(work, who);
    bool done = co_await db::join_requests::approve(c.cx.changes, c.cx.db, std::move(work), *who.workspace_id,
                                                    person.user_id, std::move(letter), event);
    if (!done)
        co_return problem::not_found();
    auto member = co_await db::team::find(c.cx.db, *who.workspace_id, person.user_id);
    if (!member)
        co_return problem::not_found();
    co_return to_team_row(*member);
}

awaitable<answer<nothing>> reject(call& c)
{
    auto waiting = co_await find_waiting(c);
    if (auto refusal = std::get_if<problem>(&waiting))
        co_return std::move(*refusal);
    auto& who = c.caller();
    auto id = std::get<db::join_requests::row>(waiting).user_id;
    trace from(c);
    auto event = from.event("request.reject");
    event.target = to_string(id);
    auto letter = co_await letter_of(c, db::outbox::kind::approval_refused);
    db::batch work;
    db::require_standing(work, who);
    bool done = co_await db::join_requests::reject(c.cx.changes, c.cx.db, std::move(work), *who.workspace_id,
                                                   id, std::move(letter), event);
    if (!done)
        co_return problem::not_found();
    co_return nothing();
}

} // namespace handlers::join_requests
