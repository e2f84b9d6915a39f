#include "db/tables/memberships.hpp"

#include "db/postgres/columns.hpp"
#include "db/tables/keyset_pagination.hpp"

namespace db::memberships {

std::string select_workspace_membership()
{
    return "SELECT " + columns<workspaces::row>("w") +
           ", m.id AS membership_id, m.role, w.owner_id = m.user_id AS is_owner, m.joined_at";
}

static const statement find_membership{"memberships_find", rows::of_one_workspace,
                                       select_workspace_membership() + R"(
    FROM memberships m JOIN workspaces w ON w.id = m.workspace_id
    WHERE m.workspace_id = $1 AND m.user_id = $2)"};

void add_find(batch& work, const uuid& workspace_id, const uuid& user_id)
{
    work.add(find_membership, workspace_id, user_id);
}

awaitable<std::optional<workspace_membership>> find(pool& db, uuid workspace_id, uuid user_id)
{
    auto found = co_await db.run_in_workspace(workspace_id, find_membership, workspace_id, user_id);
    co_return read_workspace_membership(found);
}

static const statement list_memberships{"memberships_list", select_workspace_membership() + R"(
    FROM memberships m JOIN workspaces w ON w.id = m.workspace_id
    WHERE m.user_id = $1
    ORDER BY m.joined_at, w.id)"};

awaitable<std::vector<workspace_membership>> list(pool& db, uuid user_id)
{
    auto found = co_await db.run(list_memberships, user_id);
    co_return read_workspace_memberships(found);
}

static const statement list_page{"memberships_list_page", select_workspace_membership() + R"(
    FROM memberships m JOIN workspaces w ON w.id = m.workspace_id
    WHERE m.user_id = $1 AND m.workspace_id > $2
    ORDER BY m.workspace_id
    LIMIT $3)"};

static const statement count_memberships{"memberships_count",
                                         "SELECT count(*) FROM memberships WHERE user_id = $1"};

awaitable<page> list(pool& db, uuid user_id, std::optional<uuid> after, int limit)
{
    batch work;
    work.add(list_page, user_id, after.value_or(min_uuid), limit);
    work.add(count_memberships, user_id);
    auto found = co_await db.run(std::move(work));
    co_return page{read_workspace_memberships(found.first()), found.last().scalar<std::int64_t>()};
}

static const statement insert_membership{"memberships_insert", R"(
    WITH added AS (
        INSERT INTO memberships (workspace_id, user_id, role) VALUES ($1, $2, $3)
        RETURNING id, workspace_id, user_id, role, joined_at)
    SELECT a.id AS membership_id, a.role, w.owner_id = a.user_id AS is_owner, a.joined_at
    FROM added a JOIN workspaces w ON w.id = a.workspace_id)"};

void add_insert(batch& work, const uuid& workspace_id, const uuid& user_id, role as)
{
    work.add(insert_membership, workspace_id, user_id, as);
}

std::optional<workspace_membership> read_workspace_membership(const result& answer)
{
    auto workspace = answer.as_optional<workspaces::row>();
    if (!workspace)
        return std::nullopt;
    return workspace_membership{std::move(*workspace), answer.as_one<row>()};
}

std::vector<workspace_membership> read_workspace_memberships(const result& answer)
{
    auto workspaces = answer.as_vector<workspaces::row>();
    auto memberships = answer.as_vector<row>();
    std::vector<workspace_membership> out;
    out.reserve(workspaces.size());
    for (std::size_t i = 0; i < workspaces.size(); ++i)
        out.push_back({std::move(workspaces[i]), memberships[i]});
    return out;
}

} // namespace db::memberships
