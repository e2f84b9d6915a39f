// Sessions of browsers: those that a cookie identifies, in place of a refresh token.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/tables/accounts.hpp"
#include "db/tables/audit.hpp"

#include <boost/describe/class.hpp>

#include <chrono>
#include <optional>
#include <vector>

namespace db::browser_sessions {

struct row {
    uuid id{};
    uuid user_id{};
    /// Of access tokens without a choice.
    std::optional<uuid> workspace_id;
    /// The time of the sign-in.
    timestamp created_at;
    timestamp expires_at;
};
BOOST_DESCRIBE_STRUCT(row, (), (id, user_id, workspace_id, created_at, expires_at))

/// A session that is alive, with its user.
struct loaded {
    row session;
    users::row user;
    /// All of the user, the oldest first.
    std::vector<memberships::workspace_membership> workspaces;
};

/// The session of a cookie in any state, to end it.
awaitable<std::optional<row>> find_any(pool& db, digest cookie);

/// Nothing for one that has ended or expired. @param max_age as in sessions::refresh_request
awaitable<std::optional<loaded>> find(pool& db, digest cookie, std::chrono::seconds max_age);

/// A use that keeps the session alive.
struct renewal {
    digest cookie{};
    timestamp new_expiry;

    /// As in sessions::refresh_request.
    std::chrono::seconds max_age{7776000};

    /// The workspace of the access token; nothing: the session's or, if its user has left that, the one that
    /// a login would open.
    std::optional<uuid> workspace_id;
};

struct renewed {
    row session;

    /// The user, with their membership in the wanted workspace if they have one.
    users::account account;
};

/** Extends a session's life, as a refresh does. It stays in its workspace: its pages are in several at a
   time.
    @return nothing for one that has ended or expired */
awaitable<std::optional<renewed>> renew(pool& db, renewal use);

/** Ends a session that another sign-in of the browser replaces, perhaps of another user. The batch has locked
   it and `workspace_id` as read; commit with an invalidation of its id.
    @param event recorded if this ends it; its actor is the session's user */
void add_end_replaced(batch& work, const row& replaced, const audit::entry& event);

} // namespace db::browser_sessions
