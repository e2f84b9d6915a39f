// The team of a workspace: its members, their roles and its ownership.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/principals.hpp"
#include "db/principals/role.hpp"
#include "db/tables/audit.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace db {
class transaction;
}

namespace db::team {

struct row {
    uuid user_id{};
    std::string email;
    std::optional<std::string> name;
    db::role role = db::role::member;
    bool is_owner = false;
    timestamp joined_at;
};
BOOST_DESCRIBE_STRUCT(row, (), (user_id, email, name, role, is_owner, joined_at))

struct query {
    uuid workspace_id{};
    std::optional<db::role> role;

    /// A part of the name or address; case-insensitive.
    std::optional<std::string> text;

    /// The last user of the previous page.
    std::optional<uuid> after;

    /// One more than the page size, to see whether there is a next page.
    int limit = 51;
};

struct page {
    std::vector<row> rows;

    /// Rows that match the filter; nothing if above count_cap.
    std::optional<std::int64_t> total;
};

/** Members, oldest account first. A page costs the same at any depth; only a text search reads all members
    until it has found enough. */
awaitable<page> list(pool& db, query wanted);

awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid user_id);

/// The outcome of a change, or the reason of its rejection.
enum class outcome { done, unknown, owner_protected, last_admin };

/** Sets a member's role. Concurrent changes of a team are serialized, so that at least one admin remains.
    Open invites that the new role does not permit are cancelled.
    @param tx    begins with require_valid_credential_exclusive()
    @param event recorded if the role changed */
awaitable<outcome> set_role(transaction tx, uuid workspace_id, uuid user_id, db::role wanted,
                            audit::entry event);

/** Removes a member, revokes their keys for this workspace, takes their sessions out of it and cancels the
    invites they made. Tokens and keys of the membership do not count for a later one.
    @param tx, event as in set_role() */
awaitable<outcome> remove(transaction tx, uuid workspace_id, uuid user_id, audit::entry event);

/** Makes another member the owner. The batch fails with credential_was_revoked() if `from_owner` no longer is
    the owner.
    @param tx as in set_role()
    @return false if `to_owner` is not a member, or is disabled */
awaitable<bool> transfer_ownership(transaction tx, uuid workspace_id, uuid from_owner, uuid to_owner,
                                   audit::entry event);

} // namespace db::team
