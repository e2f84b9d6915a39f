// Memberships: the users of each workspace, with their roles.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/role.hpp"
#include "db/tables/workspaces.hpp"

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace db::memberships {

struct row {
    /// Another one if the user leaves and joins again.
    uuid membership_id{};
    db::role role = db::role::member;
    bool is_owner = false;
    timestamp joined_at;
};
BOOST_DESCRIBE_STRUCT(row, (), (membership_id, role, is_owner, joined_at))

/// A workspace and a user's membership in it.
struct workspace_membership {
    workspaces::row workspace;
    row membership;
};

/// Returns a user's membership in a workspace, for read_workspace_membership().
void add_find(batch& work, const uuid& workspace_id, const uuid& user_id);

/// Nothing if the user is not a member, or the workspace does not exist.
awaitable<std::optional<workspace_membership>> find(pool& db, uuid workspace_id, uuid user_id);

/// All workspaces of a user, oldest membership first.
awaitable<std::vector<workspace_membership>> list(pool& db, uuid user_id);

struct page {
    std::vector<workspace_membership> rows;
    std::int64_t total = 0;
};

/// Workspaces of a user, oldest workspace first. @param after the last workspace of the previous page
awaitable<page> list(pool& db, uuid user_id, std::optional<uuid> after, int limit);

/// The SELECT of a statement that returns the columns of both structs, from memberships m and workspaces w.
std::string select_workspace_membership();

/// Read the result of such a statement.
std::optional<workspace_membership> read_workspace_membership(const result& answer);
std::vector<workspace_membership> read_workspace_memberships(const result& answer);

/// Returns the row. Fails on memberships_pkey if the user is a member already.
void add_insert(batch& work, const uuid& workspace_id, const uuid& user_id, role as);

} // namespace db::memberships
