// Workspaces: what people, keys and roles belong to.
#pragma once

#include "db/pool.hpp"

#include <boost/describe/class.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace db::workspaces {

struct row {
    uuid id{};
    std::string name;
    uuid owner_id{};
    bool members_can_mint_keys = true;
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(row, (), (id, name, owner_id, members_can_mint_keys, created_at))

/// One indexed statement.
awaitable<std::optional<row>> find(pool& db, uuid id);

/// The owner must be inserted before, and its admin membership after. Returns the row.
void add_insert(batch& work, const uuid& id, std::string_view name, const uuid& owner_id);

/// What to change; an absent member stays as it is.
struct edit {
    std::optional<std::string> name;
    std::optional<bool> members_can_mint_keys;
};

/** Returns the changed row, or none if there is no such workspace.
    Commit it with a change of the workspace: principals remember members_can_mint_keys. */
void add_update(batch& work, const uuid& id, const edit& changes);

} // namespace db::workspaces
