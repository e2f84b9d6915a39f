#include "db/tables/team.hpp"

#include "db/principals/invalidation.hpp"
#include "db/tables/keyset_pagination.hpp"

namespace db::team {

namespace {

const std::string select_rows = R"(
    SELECT m.user_id, u.email, u.name, m.role, w.owner_id = m.user_id AS is_owner, m.joined_at
    FROM memberships m JOIN users u ON u.id = m.user_id JOIN workspaces w ON w.id = m.workspace_id
    WHERE )";

const keyset page_of = oldest_first("m.workspace_id", "$1", "m.user_id", "$2");
const keyset all_of = oldest_first("m.workspace_id", "$1", "m.user_id", from_first);

const std::string members = "FROM memberships m WHERE " + all_of.where;
const std::string people = "FROM memberships m JOIN users u ON u.id = m.user_id WHERE " + all_of.where;

std::string has_text(const std::string& parameter)
{
    return " AND strpos(lower(concat(u.name, ' ', u.email)), lower(" + parameter + ")) > 0";
}

/// The statements of one role, which is spelled out so that its own index serves
/// (migrations/0005_row_security.sql).
struct view {
    view(const char* list_name, const char* count_name, const char* search_name, const char* count_found_name,
         const std::string& filter)
        : list(list_name, rows::of_one_workspace, select_page(filter)),
          count(count_name, rows::of_one_workspace, count_some(members + filter + all_of.order)),
          search(search_name, rows::of_one_workspace, select_page(filter + has_text("$4"))),
          count_found(count_found_name, rows::of_one_workspace,
                      count_some(people + filter + has_text("$2") + all_of.order))
    {}

    static std::string select_page(const std::string& filter)
    {
        return select_rows + page_of.where + filter + page_of.order + " LIMIT $3";
    }

    statement list, count, search, count_found;
};

const view everybody{"team_list", "team_count", "team_search", "team_count_found", ""};
const view admins{"team_list_admins", "team_count_admins", "team_search_admins", "team_count_found_admins",
                  " AND m.role = 'admin'"};
const view managers{"team_list_managers", "team_count_managers", "team_search_managers",
                    "team_count_found_managers", " AND m.role = 'manager'"};
const view mere_members{"team_list_members", "team_count_members", "team_search_members",
                        "team_count_found_members", " AND m.role = 'member'"};

const view& view_of(std::optional<role> wanted)
{
    if (!wanted)
        return everybody;
    switch (*wanted) {
    case role::admin:
        return admins;
    case role::manager:
        return managers;
    case role::member:
        break;
    }
    return mere_members;
}

} // namespace

awaitable<page> list(pool& db, query wanted)
{
    auto& [workspace, role, text, last, limit] = wanted;
    auto& chosen = view_of(role);
    auto from = last.value_or(before_all);
    batch work;
    work.within(workspace);
    add_walking(work);
    if (text) {
        work.add(chosen.search, workspace, from, limit, text);
        work.add(chosen.count_found, workspace, text);
    } else {
        work.add(chosen.list, workspace, from, limit);
        work.add(chosen.count, workspace);
    }
    auto found = co_await db.run(std::move(work));
    co_return page{found[1].as_vector<row>(), read_total(found.last())};
}

static const statement find_member{"team_find", rows::of_one_workspace,
                                   select_rows + "m.workspace_id = $1 AND m.user_id = $2"};

awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid user_id)
{
    auto found = co_await db.run_within(workspace_id, find_member, workspace_id, user_id);
    co_return found.as_optional<row>();
}

namespace {

change of_user(const uuid& id)
{
    change what;
    what.users.push_back(id);
    return what;
}

std::optional<outcome> why_refused(const failure& error)
{
    if (error.sqlstate() == "LK007")
        return outcome::owner_protected;
    if (error.sqlstate() == "LK008")
        return outcome::last_admin;
    return std::nullopt;
}

/// Run a batch whose last answer says whether the member was there.
awaitable<outcome> commit(principal_changes& changes, pool& db, batch work, uuid user_id)
{
    auto what = of_user(user_id);
    std::optional<outcome> refused;
    try {
        auto answers = co_await changes.commit(db, std::move(work), std::move(what));
        co_return answers.last().scalar<bool>() ? outcome::done : outcome::unknown;
    } catch (const failure& error) {
        refused = why_refused(error);
        if (!refused)
            throw;
    }
    co_return *refused;
}

} // namespace

static const statement set_member_role{"team_set_role", rows::of_one_workspace, R"(
    WITH changed AS (SELECT set_role($2, $3, $4) AS had),
    noted AS (
        INSERT INTO audit
        SELECT event.*
        FROM changed, audit_event($1 || jsonb_build_object('details', jsonb_build_object('from', had, 'to', $4))) AS event
        WHERE had <> $4)
    SELECT had IS NOT NULL FROM changed)"};

awaitable<outcome> set_role(principal_changes& changes, pool& db, batch work, uuid workspace_id, uuid user_id,
                            db::role wanted, audit::entry event)
{
    work.within(workspace_id);
    work.add(set_member_role, audit::as_json(event), workspace_id, user_id, wanted);
    co_return co_await commit(changes, db, std::move(work), user_id);
}

static const statement remove_member{"team_remove", rows::of_one_workspace, R"(
    WITH gone AS (SELECT remove_member($2, $3) AS known),
    noted AS (INSERT INTO audit SELECT event.* FROM gone, audit_event($1) AS event WHERE known)
    SELECT known FROM gone)"};

awaitable<outcome> remove(principal_changes& changes, pool& db, batch work, uuid workspace_id, uuid user_id,
                          audit::entry event)
{
    work.within(workspace_id);
    work.add(remove_member, audit::as_json(event), workspace_id, user_id);
    co_return co_await commit(changes, db, std::move(work), user_id);
}

static const statement transfer_to{"team_transfer", rows::of_one_workspace, R"(
    WITH given AS (SELECT transfer_ownership($2, $3, $4) AS done),
    noted AS (INSERT INTO audit SELECT event.* FROM given, audit_event($1) AS event WHERE done)
    SELECT done FROM given)"};

awaitable<bool> transfer_ownership(principal_changes& changes, pool& db, batch work, uuid workspace_id,
                                   uuid giver, uuid heir, audit::entry event)
{
    work.within(workspace_id);
    work.add(transfer_to, audit::as_json(event), workspace_id, giver, heir);
    change what;
    what.users = {giver, heir};
    auto answers = co_await changes.commit(db, std::move(work), std::move(what));
    co_return answers.last().scalar<bool>();
}

} // namespace db::team
