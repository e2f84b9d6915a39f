#include "db/tables/team.hpp"

#include "db/postgres/sqlstate.hpp"
#include "db/principals/transaction.hpp"
#include "db/tables/keyset_pagination.hpp"

namespace db::team {

namespace {

const std::string select_rows = R"(
    SELECT m.user_id, u.email, u.name, m.role, w.owner_id = m.user_id AS is_owner, m.joined_at
    FROM memberships m JOIN users u ON u.id = m.user_id JOIN workspaces w ON w.id = m.workspace_id
    WHERE )";

const keyset page_of = oldest_first("m.workspace_id", "$1", "m.user_id", "$2");
const keyset all_of = oldest_first("m.workspace_id", "$1", "m.user_id", min_uuid_literal);

const std::string members = "FROM memberships m WHERE " + all_of.where;
const std::string members_with_users =
    "FROM memberships m JOIN users u ON u.id = m.user_id WHERE " + all_of.where;

std::string text_filter(const std::string& parameter)
{
    return " AND strpos(lower(normalize(concat(u.name, ' ', u.email))), lower(normalize(" + parameter +
           "))) > 0";
}

/// The statements of one role, a literal in SQL so that its partial index is used
/// (migrations/0005_row_security.sql).
struct list_statements {
    list_statements(const char* list_name, const char* count_name, const char* search_name,
                    const char* count_matches_name, const std::string& filter)
        : list(list_name, rows::of_one_workspace, select_page(filter)),
          count(count_name, rows::of_one_workspace, count_up_to_cap(members + filter + all_of.order)),
          search(search_name, rows::of_one_workspace, select_page(filter + text_filter("$4"))),
          count_matches(count_matches_name, rows::of_one_workspace,
                        count_up_to_cap(members_with_users + filter + text_filter("$2") + all_of.order))
    {}

    static std::string select_page(const std::string& filter)
    {
        return select_rows + page_of.where + filter + page_of.order + " LIMIT $3";
    }

    statement list, count, search, count_matches;
};

const list_statements all_members{"team_list", "team_count", "team_search", "team_count_matches", ""};
const list_statements admins{"team_list_admins", "team_count_admins", "team_search_admins",
                             "team_count_matches_admins", " AND m.role = 'admin'"};
const list_statements managers{"team_list_managers", "team_count_managers", "team_search_managers",
                               "team_count_matches_managers", " AND m.role = 'manager'"};
const list_statements plain_members{"team_list_members", "team_count_members", "team_search_members",
                                    "team_count_matches_members", " AND m.role = 'member'"};

const list_statements& statements_for(std::optional<role> wanted)
{
    if (!wanted)
        return all_members;
    switch (*wanted) {
    case role::admin:
        return admins;
    case role::manager:
        return managers;
    case role::member:
        break;
    }
    return plain_members;
}

} // namespace

awaitable<page> list(pool& db, query wanted)
{
    auto& [workspace, role, text, last, limit] = wanted;
    auto& chosen = statements_for(role);
    auto from = last.value_or(min_uuid);
    batch work;
    work.in_workspace(workspace);
    require_index_scan(work);
    if (text) {
        work.add(chosen.search, workspace, from, limit, text);
        work.add(chosen.count_matches, workspace, text);
    } else {
        work.add(chosen.list, workspace, from, limit);
        work.add(chosen.count, workspace);
    }
    auto found = co_await db.run(std::move(work));
    co_return page{found[1].as_vector<row>(), read_capped_count(found.last())};
}

static const statement find_member{"team_find", rows::of_one_workspace,
                                   select_rows + "m.workspace_id = $1 AND m.user_id = $2"};

awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid user_id)
{
    auto found = co_await db.run_in_workspace(workspace_id, find_member, workspace_id, user_id);
    co_return found.as_optional<row>();
}

namespace {

invalidation of_user(const uuid& id)
{
    invalidation affected;
    affected.users.push_back(id);
    return affected;
}

std::optional<outcome> rejection(const failure& error)
{
    if (error.sqlstate() == sqlstate::owner_protected)
        return outcome::owner_protected;
    if (error.sqlstate() == sqlstate::last_admin)
        return outcome::last_admin;
    return std::nullopt;
}

/// Commits a batch with a last result that says whether the member exists.
awaitable<outcome> commit(transaction tx, uuid user_id)
{
    auto affected = of_user(user_id);
    std::optional<outcome> rejected;
    try {
        auto answers = co_await tx.commit(std::move(affected));
        co_return answers.last().scalar<bool>() ? outcome::done : outcome::unknown;
    } catch (const failure& error) {
        rejected = rejection(error);
        if (!rejected)
            throw;
    }
    co_return *rejected;
}

} // namespace

static const statement set_member_role{"team_set_role", rows::of_one_workspace, R"(
    WITH changed AS (SELECT set_member_role($2, $3, $4) AS previous),
    recorded AS (
        INSERT INTO audit
        SELECT event.*
        FROM changed,
             audit_event($1 || jsonb_build_object('details',
                                                  jsonb_build_object('from', previous, 'to', $4))) AS event
        WHERE previous <> $4)
    SELECT previous IS NOT NULL FROM changed)"};

awaitable<outcome> set_role(transaction tx, uuid workspace_id, uuid user_id, db::role wanted,
                            audit::entry event)
{
    auto& work = tx.work();
    work.in_workspace(workspace_id);
    work.add(set_member_role, audit::as_json(event), workspace_id, user_id, wanted);
    co_return co_await commit(std::move(tx), user_id);
}

static const statement remove_member{"team_remove", rows::of_one_workspace, R"(
    WITH removed AS (SELECT remove_member($2, $3) AS existed),
    recorded AS (INSERT INTO audit SELECT event.* FROM removed, audit_event($1) AS event WHERE existed)
    SELECT existed FROM removed)"};

awaitable<outcome> remove(transaction tx, uuid workspace_id, uuid user_id, audit::entry event)
{
    auto& work = tx.work();
    work.in_workspace(workspace_id);
    work.add(remove_member, audit::as_json(event), workspace_id, user_id);
    co_return co_await commit(std::move(tx), user_id);
}

static const statement transfer_to{"team_transfer", rows::of_one_workspace, R"(
    WITH transferred AS (SELECT transfer_ownership($2, $3, $4) AS done),
    recorded AS (INSERT INTO audit SELECT event.* FROM transferred, audit_event($1) AS event WHERE done)
    SELECT done FROM transferred)"};

awaitable<bool> transfer_ownership(transaction tx, uuid workspace_id, uuid from_owner, uuid to_owner,
                                   audit::entry event)
{
    auto& work = tx.work();
    work.in_workspace(workspace_id);
    work.add(transfer_to, audit::as_json(event), workspace_id, from_owner, to_owner);
    invalidation affected;
    affected.users = {from_owner, to_owner};
    auto answers = co_await tx.commit(std::move(affected));
    co_return answers.last().scalar<bool>();
}

} // namespace db::team
