// Who belongs to which workspace, and as what.
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
    db::role role = db::role::member;
    bool is_owner = false;
    timestamp joined_at;
};
BOOST_DESCRIBE_STRUCT(row, (), (role, is_owner, joined_at))

/// A workspace, and a user's standing in it.
struct place {
    workspaces::row workspace;
    row membership;
};

/// Answers what read_place() reads: a user's place in a workspace, if they are a member.
void add_find(batch& work, const uuid& workspace_id, const uuid& user_id);

/// Nothing if the user is no member, or the workspace does not exist.
awaitable<std::optional<place>> find(pool& db, uuid workspace_id, uuid user_id);

/// All workspaces of a user, the oldest membership first.
awaitable<std::vector<place>> list(pool& db, uuid user_id);

struct page {
    std::vector<place> places;
    std::int64_t total = 0;
};

/// Workspaces of a user, the oldest workspace first. @param after the last workspace of the page before
awaitable<page> list(pool& db, uuid user_id, std::optional<uuid> after, int limit);

/// The start of a statement that returns the columns of both structs, from memberships m and workspaces w.
std::string select_place();

/// Read the answer of such a statement.
std::optional<place> read_place(const result& answer);
std::vector<place> read_places(const result& answer);

/// Returns the row. Fails on memberships_pkey if already a member.
void add_insert(batch& work, const uuid& workspace_id, const uuid& user_id, role as);

} // namespace db::memberships
