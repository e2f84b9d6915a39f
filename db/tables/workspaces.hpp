// Workspaces: what people, keys and roles belong to.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace db::workspaces {

/// What becomes of people who sign up with an address of the workspace's domain.
BOOST_DEFINE_ENUM_CLASS(join_policy, closed, approval, open)

struct row {
    uuid id{};
    std::string name;
    uuid owner_id{};
    bool members_can_mint_keys = true;
    workspaces::join_policy join_policy = workspaces::join_policy::closed;
    std::optional<std::string> join_domain; ///< that the policy is for
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, name, owner_id, members_can_mint_keys, join_policy, join_domain, created_at))

/// One indexed statement.
awaitable<std::optional<row>> find(pool& db, uuid id);

/// The owner must be inserted before, and its admin membership after. Returns the row.
void add_insert(batch& work, const uuid& id, std::string_view name, const uuid& owner_id);

/// What to change; an absent member stays as it is.
struct edit {
    std::optional<std::string> name;
    std::optional<bool> members_can_mint_keys;
    std::optional<workspaces::join_policy> join_policy;
    std::optional<std::optional<std::string>> join_domain; ///< an empty inner optional clears it
};

/// A workspace as it is set up.
struct setup {
    row workspace;
    bool has_proved_domain = false; ///< a verified member has an address of join_domain, so that it counts
};
awaitable<std::optional<setup>> find_setup(pool& db, uuid id);

/** Returns the changed row with has_proved_domain, or none if there is no such workspace.
    Commit it with a change of the workspace: principals remember members_can_mint_keys. */
void add_update(batch& work, const uuid& id, const edit& changes);

/// Read the answer of such an update.
std::optional<setup> read_setup(const result& answer);

} // namespace db::workspaces
