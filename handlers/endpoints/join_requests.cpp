#include "handlers/endpoints/join_requests.hpp"

#include "db/postgres/batch.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/join_requests.hpp"
#include "db/tables/team.hpp"
#include "db/tables/workspaces.hpp"
#include "handlers/http/audit_context.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/pagination.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/unit_of_work.hpp"
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

/// The request of the user in the path.
awaitable<result<db::join_requests::row>> find_request(call& c)
{
    auto id = schemas::parse_uuid(c.params[0]);
    if (!id)
        co_return problem::of(codes::not_found);
    auto found = co_await db::join_requests::find(c.cx.db, *c.caller().workspace_id, *id);
    if (!found)
        co_return problem::of(codes::not_found);
    co_return std::move(*found);
}

/// The email that notifies the user of the decision.
awaitable<db::outbox::draft> make_decision_mail(call& c, db::outbox::kind kind)
{
    boost::json::object variables;
    auto workspace = co_await db::workspaces::find(c.cx.db, *c.caller().workspace_id);
    if (workspace)
        variables["workspace"] = workspace->name;
    auto mail = make_mail(c.cx, kind, variables);
    mail.sender_id = c.caller().user_id;
    mail.workspace_id = c.caller().workspace_id;
    co_return mail;
}

} // namespace

awaitable<answer<schemas::page<schemas::join_request>>> list(call& c, query<schemas::page_query> wanted)
{
    auto fetch = [&c](std::optional<db::uuid> after, int limit) {
        return db::join_requests::list(c.cx.db, *c.caller().workspace_id, after, limit);
    };
    co_return co_await paginate<schemas::join_request>(c, wanted.value, "requests", fetch, &to_request);
}

awaitable<answer<schemas::team_row>> approve(call& c)
{
    auto request = co_await find_request(c);
    if (!request)
        co_return request.error();
    if (!request->email_verified)
        co_return problem::of(codes::email_not_verified.with_status(409),
                              "The user has not verified the email address yet.");

    auto workspace = *c.caller().workspace_id;
    auto user = request->user_id;
    db::row_locks locks{.users = {user}};
    unit_of_work tx(c, credential_check::shared, std::move(locks));
    auto event = tx.event("request.approve", to_string(user));
    auto mail = co_await make_decision_mail(c, db::outbox::kind::approval_given);
    bool done =
        co_await db::join_requests::approve(tx.release(), workspace, user, std::move(mail), std::move(event));
    if (!done)
        co_return problem::of(codes::not_found);
    auto member = co_await db::team::find(c.cx.db, workspace, user);
    if (!member)
        co_return problem::of(codes::not_found);
    co_return to_team_row(*member);
}

awaitable<answer<no_content>> reject(call& c)
{
    auto request = co_await find_request(c);
    if (!request)
        co_return request.error();
    unit_of_work tx(c);
    auto event = tx.event("request.reject", to_string(request->user_id));
    auto mail = co_await make_decision_mail(c, db::outbox::kind::approval_refused);
    bool done = co_await db::join_requests::reject(tx.release(), *c.caller().workspace_id, request->user_id,
                                                   std::move(mail), std::move(event));
    if (!done)
        co_return problem::of(codes::not_found);
    co_return no_content();
}

} // namespace handlers::join_requests
