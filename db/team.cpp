#include "db/team.hpp"

#include "db/listing.hpp"
#include "db/principal_changes.hpp"

namespace db::team {

namespace {

std::string select_rows()
{
    return R"(
    SELECT m.user_id, u.email, u.name, m.role, w.owner_id = m.user_id AS is_owner, m.joined_at
    FROM memberships m JOIN users u ON u.id = m.user_id JOIN workspaces w ON w.id = m.workspace_id
    WHERE m.workspace_id = $1)";
}

const std::string after = " AND m.user_id > coalesce($2, '00000000-0000-0000-0000-000000000000'::uuid)";
const std::string in_order = " ORDER BY m.user_id LIMIT $3";
const std::string of_role = " AND m.role = $4";

// The first parameter that the filters do not have in common with each other is the last of each.
std::string has_text(const std::string& parameter)
{
    return " AND strpos(lower(concat(u.name, ' ', u.email)), lower(" + parameter + ")) > 0";
}

std::string count(const std::string& from, const std::string& filters)
{
    return count_some("FROM " + from + " WHERE m.workspace_id = $1" + filters);
}

const std::string members = "memberships m";
const std::string people = "memberships m JOIN users u ON u.id = m.user_id";

} // namespace

// One statement for each filter, so that each is planned for its own index.
static const statement list_all{"team_list", rows::of_one_workspace, select_rows() + after + in_order};
static const statement list_of_role{"team_list_role", rows::of_one_workspace,
                                    select_rows() + after + of_role + in_order};
static const statement list_with_text{"team_list_text", rows::of_one_workspace,
                                      select_rows() + after + has_text("$4") + in_order};
static const statement list_of_role_with_text{"team_list_role_text", rows::of_one_workspace,
                                              select_rows() + after + of_role + has_text("$5") + in_order};

static const statement count_all{"team_count", rows::of_one_workspace, count(members, "")};
static const statement count_of_role{"team_count_role", rows::of_one_workspace,
                                     count(members, " AND m.role = $2")};
static const statement count_with_text{"team_count_text", rows::of_one_workspace,
                                       count(people, has_text("$2"))};
static const statement count_of_role_with_text{"team_count_role_text", rows::of_one_workspace,
                                               count(people, " AND m.role = $2" + has_text("$3"))};

awaitable<page> list(pool& db, query wanted)
{
    auto& [workspace, role, text, last, limit] = wanted;
    batch work;
    work.within(workspace);
    if (role && text) {
        work.add(list_of_role_with_text, workspace, last, limit, role, text);
        work.add(count_of_role_with_text, workspace, role, text);
    } else if (role) {
        work.add(list_of_role, workspace, last, limit, role);
        work.add(count_of_role, workspace, role);
    } else if (text) {
        work.add(list_with_text, workspace, last, limit, text);
        work.add(count_with_text, workspace, text);
    } else {
        work.add(list_all, workspace, last, limit);
        work.add(count_all, workspace);
    }
    auto found = co_await db.run(std::move(work));
    co_return page{found.first().as_vector<row>(), read_total(found.last())};
}

static const statement find_member{"team_find", rows::of_one_workspace,
                                   select_rows() + " AND m.user_id = $2"};

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
