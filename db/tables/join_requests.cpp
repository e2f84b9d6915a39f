#include "db/tables/join_requests.hpp"

#include "db/principals/transaction.hpp"
#include "db/tables/keyset_pagination.hpp"

namespace db::join_requests {

static const statement find_workspace_for_domain{"join_requests_find_workspace",
                                                 "SELECT workspace_for_domain($1)"};

awaitable<std::optional<uuid>> find_workspace(pool& db, std::string domain)
{
    auto found = co_await db.run(find_workspace_for_domain, domain);
    co_return found.scalar<std::optional<uuid>>();
}

static const statement insert_request{"join_requests_insert",
                                      R"(
    INSERT INTO join_requests (user_id, workspace_id)
    SELECT $1, id FROM workspaces WHERE id = $2 FOR KEY SHARE)"};

void add_insert(batch& work, const uuid& user_id, const uuid& workspace_id)
{
    work.add(insert_request, user_id, workspace_id);
}

static const statement resolve_join_request{"join_requests_resolve", "SELECT resolve_join_request($1, $2)"};

void add_resolve(batch& work, const uuid& user_id, const audit::entry& joined)
{
    work.add(resolve_join_request, user_id, audit::as_json(joined));
}

namespace {

// Requests of disabled accounts, and with them of released addresses, are not pending.
const std::string from_pending = R"(
    FROM join_requests r JOIN users u ON u.id = r.user_id
    WHERE u.disabled_at IS NULL AND )";

const std::string select_rows =
    "SELECT r.user_id, u.email, u.name, is_proved(u.email_verified_at, u.verified_by_link_only) AS "
    "email_verified, r.created_at" +
    from_pending;

const keyset page_of = oldest_first("r.workspace_id", "$1", "r.user_id", "$2");
const keyset all_of = oldest_first("r.workspace_id", "$1", "r.user_id", min_uuid_literal);

} // namespace

static const statement list_requests{"join_requests_list", rows::of_one_workspace,
                                     select_rows + page_of.where + page_of.order + " LIMIT $3"};

static const statement count_requests{"join_requests_count", rows::of_one_workspace,
                                      count_up_to_cap(from_pending + all_of.where + all_of.order)};

awaitable<page> list(pool& db, uuid workspace_id, std::optional<uuid> after, int limit)
{
    batch work;
    work.in_workspace(workspace_id);
    require_index_scan(work);
    work.add(list_requests, workspace_id, after.value_or(min_uuid), limit);
    work.add(count_requests, workspace_id);
    auto found = co_await db.run(std::move(work));
    co_return page{found[1].as_vector<row>(), read_capped_count(found.last())};
}

static const statement find_request{"join_requests_find", rows::of_one_workspace,
                                    select_rows + "r.workspace_id = $1 AND r.user_id = $2"};

awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid user_id)
{
    auto found = co_await db.run_in_workspace(workspace_id, find_request, workspace_id, user_id);
    co_return found.as_optional<row>();
}

namespace {

// The statement that deletes the request queues the notification: afterwards a rejected user is no longer
// visible to the workspace.
const std::string notify = R"(
    notified AS (INSERT INTO outbox (id, kind, variables, user_id, recipient, sender_id, workspace_id)
                 SELECT $4, $5, $6, u.id, u.email, $7, $2 FROM decided d JOIN users u ON u.id = d.user_id
                 WHERE wants_mail(u.notifications, $5))
    INSERT INTO audit SELECT event.* FROM decided, audit_event($1) AS event)";

} // namespace

static const statement approve_request{"join_requests_approve", rows::of_one_workspace, R"(
    WITH applicant AS (
        SELECT id FROM users
        WHERE id = $3 AND disabled_at IS NULL AND is_proved(email_verified_at, verified_by_link_only)
        FOR NO KEY UPDATE),
    decided AS (
        DELETE FROM join_requests r USING applicant
        WHERE r.user_id = applicant.id AND r.workspace_id = $2
        RETURNING r.user_id),
    added AS (INSERT INTO memberships (workspace_id, user_id, role) SELECT $2, user_id, 'member' FROM decided
              ON CONFLICT DO NOTHING),)" + notify};

static const statement reject_request{"join_requests_reject", rows::of_one_workspace,
                                      R"(
    WITH decided AS (
        DELETE FROM join_requests WHERE user_id = $3 AND workspace_id = $2 RETURNING user_id),)" +
                                          notify};

namespace {

awaitable<bool> decide(transaction tx, const statement& decision, uuid workspace_id, uuid user_id,
                       outbox::draft mail, audit::entry event)
{
    auto& work = tx.work();
    auto at = work.size();
    work.in_workspace(workspace_id);
    work.add(decision, audit::as_json(event), workspace_id, user_id, mail.id, mail.kind, mail.variables,
             mail.sender_id);
    invalidation affected;
    affected.users.push_back(user_id);
    auto answers = co_await tx.commit(std::move(affected));
    co_return answers[at].affected() == 1;
}

} // namespace

awaitable<bool> approve(transaction tx, uuid workspace_id, uuid user_id, outbox::draft mail,
                        audit::entry event)
{
    return decide(std::move(tx), approve_request, workspace_id, user_id, std::move(mail), event);
}

awaitable<bool> reject(transaction tx, uuid workspace_id, uuid user_id, outbox::draft mail,
                       audit::entry event)
{
    return decide(std::move(tx), reject_request, workspace_id, user_id, std::move(mail), event);
}

} // namespace db::join_requests
