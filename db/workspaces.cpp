#include "db/workspaces.hpp"

#include "db/columns.hpp"

namespace db::workspaces {

static const statement find_workspace{"workspaces_find",
                                      "SELECT " + columns<row>() + " FROM workspaces WHERE id = $1"};

awaitable<std::optional<row>> find(pool& db, uuid id)
{
    auto found = co_await db.run(find_workspace, id);
    co_return found.as_optional<row>();
}

static const statement insert_workspace{"workspaces_insert", R"(
    INSERT INTO workspaces (id, name, owner_id) VALUES ($1, $2, $3)
    RETURNING )" + columns<row>()};

void add_insert(batch& work, const uuid& id, std::string_view name, const uuid& owner_id)
{
    work.add(insert_workspace, id, name, owner_id);
}

static const statement update_workspace{"workspaces_update", R"(
    UPDATE workspaces
    SET name = coalesce($2, name), members_can_mint_keys = coalesce($3, members_can_mint_keys)
    WHERE id = $1
    RETURNING )" + columns<row>()};

void add_update(batch& work, const uuid& id, const edit& changes)
{
    work.add(update_workspace, id, changes.name, changes.members_can_mint_keys);
}

} // namespace db::workspaces
