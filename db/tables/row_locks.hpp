// The lock order: the rows that a transaction locks ahead of everything else.
#pragma once

#include "db/postgres/batch.hpp"

#include <optional>
#include <vector>

namespace db {

/// Row-level lock modes of PostgreSQL (13.3.2), the weakest first.
enum class lock_strength { key_share, share, no_key_update, update };

/** Rows to lock before the other statements of a batch. All transactions lock in one order (workspaces,
    users, sessions, API keys, then everything else, see db/migrations/README.md), so that no two of them can
    wait for each other. A batch with statements that would lock in another order, also through a foreign key
    or a trigger, begins with the rows in question, at the greatest strength that it needs. */
struct row_locks {
    std::vector<uuid> workspaces{};

    /// At most no_key_update.
    lock_strength workspace_strength = lock_strength::key_share;
    std::vector<uuid> users{};
    lock_strength user_strength = lock_strength::no_key_update;

    /// Also the workspaces that the users asked to join, for resolve_join_request().
    bool with_join_requests = false;
    std::vector<uuid> sessions{};

    /// All sessions of this user, instead of `sessions`.
    std::optional<uuid> sessions_of{};
    std::vector<uuid> api_keys{};

    /// The account to delete, with all that goes with it. Locked before the others, which it has to contain.
    std::optional<uuid> deleted_user{};

    bool empty() const
    {
        return workspaces.empty() && users.empty() && sessions.empty() && !sessions_of && api_keys.empty() &&
               !deleted_user;
    }
};

/// The statement that add_locks() appends, unless it locks an account for its deletion.
const statement& lock_rows_statement();

/// Appends the locks to a batch: nothing if there are none. Rows that do not exist are left out.
void add_locks(batch& work, const row_locks& rows);

} // namespace db
