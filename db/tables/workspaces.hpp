// Workspaces: the tenants, which members, API keys and roles belong to.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <optional>
#include <string>
#include <string_view>

namespace db::workspaces {

/// Handling of users who sign up with an address of the workspace's domain.
BOOST_DEFINE_ENUM_CLASS(join_policy, closed, approval, open)

struct row {
    uuid id{};
    std::string name;
    uuid owner_id{};
    bool members_can_mint_keys = true;
    workspaces::join_policy join_policy = workspaces::join_policy::closed;

    /// The email domain that the policy applies to.
    std::optional<std::string> join_domain;
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, name, owner_id, members_can_mint_keys, join_policy, join_domain, created_at))

/// One indexed statement.
awaitable<std::optional<row>> find(pool& db, uuid id);

/// Inserts a workspace, after its owner and before the owner's admin membership. Returns the row.
void add_insert(batch& work, const uuid& id, std::string_view name, const uuid& owner_id);

/// A partial update: an absent member keeps its value.
struct edit {
    std::optional<std::string> name;
    std::optional<bool> members_can_mint_keys;
    std::optional<workspaces::join_policy> join_policy;

    /// An empty inner optional clears it.
    std::optional<std::optional<std::string>> join_domain;

    /// Who makes the change: a user, or the creator of a workspace's key. Emails contain the name only if its
    /// author's address is verified.
    std::optional<uuid> user_id, key_id;
};

/// A workspace with its settings.
struct setup {
    row workspace;

    /// An admin has a verified address of join_domain, so that the domain is effective.
    bool has_verified_domain = false;
};
awaitable<std::optional<setup>> find_setup(pool& db, uuid id);

/** Returns the changed row with has_verified_domain, or none if there is no such workspace. Commit with an
    invalidation of the workspace: cached principals contain members_can_mint_keys. */
void add_update(batch& work, const uuid& id, const edit& changes);

/// Reads the result of such an update.
std::optional<setup> read_setup(const result& answer);

} // namespace db::workspaces
