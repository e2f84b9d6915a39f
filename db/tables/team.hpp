// The people of a workspace, and how who belongs to it, and as what, is changed.
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
class principal_changes;
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
    std::optional<std::string> text; ///< somewhere in name or address, in whatever case
    std::optional<uuid> after;       ///< the last user of the page before
    int limit = 51;                  ///< one more than shown tells whether there are more
};

struct page {
    std::vector<row> rows;
    std::optional<std::int64_t> total; ///< of the filter; nothing if there are too many to count
};

/** Members, in the order of their accounts. A page costs the same however far down it is; only a search for a
   text reads every member until it has found enough. */
awaitable<page> list(pool& db, query wanted);

awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid user_id);

/// Why a change of the team was refused, or that it was done.
enum class outcome { done, unknown, owner_protected, last_admin };

/** Give a member a role. Of several who change the team at the same time one after the other decides and
   writes, so that an admin is always left. Invites that the member could no longer make end with it.
    @param first what goes first in the same transaction: db::require_sole_standing()
    @param event written if the role is another than before */
awaitable<outcome> set_role(principal_changes& changes, pool& db, batch first, uuid workspace_id,
                            uuid user_id, db::role wanted, audit::entry event);

/** End a membership, and with it the member's keys and sessions for this workspace, and the invites they
   made.
    @param first, event as in set_role() */
awaitable<outcome> remove(principal_changes& changes, pool& db, batch first, uuid workspace_id, uuid user_id,
                          audit::entry event);

/** Make another member the owner. The batch fails with standing_was_lost() if the giver is not the owner any
   more.
    @param first as in set_role()
    @return false if the heir is no member, or disabled */
awaitable<bool> transfer_ownership(principal_changes& changes, pool& db, batch first, uuid workspace_id,
                                   uuid giver, uuid heir, audit::entry event);

} // namespace db::team
