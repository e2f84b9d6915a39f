#include "db/tables/join_requests.hpp"

#include "db/principals/invalidation.hpp"
#include "db/tables/keyset_pagination.hpp"

namespace db::join_requests {

static const statement find_workspace_to_join{"join_requests_find_workspace", "SELECT workspace_to_join($1)"};

awaitable<std::optional<uuid>> find_workspace(pool& db, std::string domain)
{
    auto found = co_await db.run(find_workspace_to_join, domain);
    co_return found.scalar<std::optional<uuid>>();
}

static const statement insert_request{"join_requests_insert",
                                      R"(
    INSERT INTO join_requests (user_id, workspace_id) SELECT $1, id FROM workspaces WHERE id = $2 FOR KEY SHARE)"};

void add_insert(batch& work, const uuid& user_id, const uuid& workspace_id)
{
    work.add(insert_request, user_id, workspace_id);
}

static const statement settle_request{"join_requests_settle", "SELECT settle_request($1, $2)"};

void add_settle(batch& work, const uuid& user_id, const audit::entry& joined)
{
    work.add(settle_request, user_id, audit::as_json(joined));
}

namespace {

// Who gave up an address, or was shut out, does not wait any more.
const std::string from_waiting = R"(
    FROM join_requests r JOIN users u ON u.id = r.user_id
    WHERE u.disabled_at IS NULL AND )";

const std::string select_rows =
    "SELECT r.user_id, u.email, u.name, u.email_verified_at IS NOT NULL AS email_verified, r.created_at" +
    from_waiting;

const keyset page_of = oldest_first("r.workspace_id", "$1", "r.user_id", "$2");
const keyset all_of = oldest_first("r.workspace_id", "$1", "r.user_id", from_first);

} // namespace

static const statement list_requests{"join_requests_list", rows::of_one_workspace,
                                     select_rows + page_of.where + page_of.order + " LIMIT $3"};

static const statement count_requests{"join_requests_count", rows::of_one_workspace,
                                      count_some(from_waiting + all_of.where + all_of.order)};

awaitable<page> list(pool& db, uuid workspace_id, std::optional<uuid> after, int limit)
{
    batch work;
    work.within(workspace_id);
    add_walking(work);
    work.add(list_requests, workspace_id, after.value_or(before_all), limit);
    work.add(count_requests, workspace_id);
    auto found = co_await db.run(std::move(work));
    co_return page{found[1].as_vector<row>(), read_total(found.last())};
}

static const statement find_request{"join_requests_find", rows::of_one_workspace,
                                    select_rows + "r.workspace_id = $1 AND r.user_id = $2"};

awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid user_id)
{
    auto found = co_await db.run_within(workspace_id, find_request, workspace_id, user_id);
    co_return found.as_optional<row>();
}

namespace {

// Written by the statement that settles the request: afterwards a workspace does not know whom it has
// rejected.
const std::string told = R"(
    told AS (INSERT INTO outbox (id, kind, facts, user_id, recipient, name)
             SELECT $4, $5, $6, u.id, u.email, u.name FROM settled s JOIN users u ON u.id = s.user_id
             WHERE wants_mail(u, $5))
    INSERT INTO audit SELECT event.* FROM settled, audit_event($1) AS event)";

} // namespace

// The lock on the person comes first, as with all that ends an account.
static const statement approve_request{"join_requests_approve", rows::of_one_workspace, R"(
    WITH person AS (
        SELECT id FROM users WHERE id = $3 AND disabled_at IS NULL AND email_verified_at IS NOT NULL FOR NO KEY UPDATE),
    settled AS (DELETE FROM join_requests r USING person WHERE r.user_id = person.id AND r.workspace_id = $2
                RETURNING r.user_id),
    added AS (INSERT INTO memberships (workspace_id, user_id, role) SELECT $2, user_id, 'member' FROM settled
              ON CONFLICT DO NOTHING),)" + told};

static const statement reject_request{"join_requests_reject", rows::of_one_workspace,
                                      R"(
    WITH settled AS (DELETE FROM join_requests WHERE user_id = $3 AND workspace_id = $2 RETURNING user_id),)" +
                                          told};

namespace {

awaitable<bool> settle(principal_changes& changes, pool& db, batch work, const statement& how,
                       uuid workspace_id, uuid user_id, outbox::draft letter, audit::entry event)
{
    auto at = work.size();
    work.within(workspace_id);
    work.add(how, audit::as_json(event), workspace_id, user_id, letter.id, letter.what, letter.facts);
    change what;
    what.users.push_back(user_id);
    auto answers = co_await changes.commit(db, std::move(work), std::move(what));
    co_return answers[at].affected() == 1;
}

} // namespace

awaitable<bool> approve(principal_changes& changes, pool& db, batch first, uuid workspace_id, uuid user_id,
                        outbox::draft letter, audit::entry event)
{
    return settle(changes, db, std::move(first), approve_request, workspace_id, user_id, std::move(letter),
                  event);
}

awaitable<bool> reject(principal_changes& changes, pool& db, batch first, uuid workspace_id, uuid user_id,
                       outbox::draft letter, audit::entry event)
{
    return settle(changes, db, std::move(first), reject_request, workspace_id, user_id, std::move(letter),
                  event);
}

} // namespace db::join_requests
