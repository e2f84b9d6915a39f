// Sessions: one sign-in on one device, kept alive by rotating refresh tokens.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/tables/audit.hpp"
#include "db/tables/users.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace db {
class principal_changes;
}

namespace db::sessions {

struct draft {
    uuid id{};
    uuid user_id{};
    std::int32_t password_version = 0;  ///< as read with the hash that was checked; 0 for a new user
    std::optional<uuid> workspace_id;   ///< where the first access token leads
    std::span<const std::uint8_t> salt; ///< random, for the MAC of its refresh tokens
    timestamp expires_at;
    std::string_view ip;
    std::string_view user_agent;
};

/** Open a session at counter 0. The whole batch fails, and was_outdated() tells so, if the account has been
    disabled or got another password since password_version was read: a login that was under way while the
    password was reset must not outlive the reset. */
void add_insert(batch& work, const draft& session);

/// True if a batch failed because the sign-in rested on a password or an account that is no more.
bool was_outdated(const failure& error);

/// The salt to check a refresh token's MAC with; nothing for an ended, expired or unknown session.
awaitable<std::optional<std::vector<std::uint8_t>>> find_refresh_salt(pool& db, uuid id);

/// A refresh token whose MAC has been checked, and who presents it.
struct attempt {
    uuid id{};
    std::int64_t counter = 0;
    std::string ip;
    std::string user_agent;
    timestamp new_expiry;
    std::optional<uuid> workspace_id; ///< the workspace that is wanted; nothing: the session's
    std::chrono::seconds grace{10};   ///< how long a spent token still yields the same successor
    uuid audit_id{};                  ///< for the event written if the token turns out to be reused
    std::string request_id;
};

/** renewed: the token was spent, now or just before, and its one successor is due. reused: it was spent
    before that, so the session has been ended. gone: the session had ended, or its account is disabled. */
BOOST_DEFINE_ENUM_CLASS(refresh_outcome, renewed, reused, gone)

struct refreshed {
    refresh_outcome outcome = refresh_outcome::gone;
    std::int64_t counter = 0; ///< of the successor
    timestamp expires_at;     ///< of the session
    /// The user, and their place in the workspace that is wanted if they are a member there. A session that
    /// leads to none leads to the user's first, as a login would, from now on. Nothing if reused or gone.
    std::optional<users::account> account;
};

/** Spend a refresh token: one atomic statement decides under the row's lock, so of two that come at the same
    time one spends it and the other retries, and both get the same successor. A retry is granted only while
    the successor is unused, within the grace, and not from both another address and another agent. */
awaitable<refreshed> refresh(principal_changes& changes, pool& db, attempt token);

/// Whether the user of a live session is a member of a workspace.
awaitable<bool> can_lead_to(pool& db, uuid id, uuid workspace_id);

/** Let a live session lead to another workspace of its user, which the next login does too.
    @param event written if done
    @return the user's place there; nothing if they are no member, or the session has ended */
awaitable<std::optional<memberships::place>> lead_to(pool& db, uuid id, uuid user_id, uuid workspace_id,
                                                     audit::entry event);

/// When a live session was opened.
awaitable<std::optional<timestamp>> find_opening(pool& db, uuid id);

struct row {
    uuid id{};
    std::optional<uuid> workspace_id;
    timestamp created_at;
    timestamp last_seen_at;
    timestamp expires_at;
    std::string ip;
    std::string user_agent;
};
BOOST_DESCRIBE_STRUCT(row, (), (id, workspace_id, created_at, last_seen_at, expires_at, ip, user_agent))

struct page {
    std::vector<row> rows; ///< up to `limit`, of which the caller may ask one more than it shows
    std::int64_t total = 0;
};

/// Live sessions of a user, the newest first. @param before the last id of the page before
awaitable<page> list(pool& db, uuid user_id, std::optional<uuid> before, int limit);

/** End a session, whosever it is; ending it again is no error.
    @param event written if this call ended it, of the session's user */
awaitable<void> end(principal_changes& changes, pool& db, uuid id, audit::entry event);

/** End one session of a user; ending it again is no error.
    @param event written if this call ended it; its target is the caller's to set
    @return false if the user never had such a session */
awaitable<bool> revoke(principal_changes& changes, pool& db, uuid id, uuid user_id, audit::entry event);

/// End all sessions of a user but one. @return those ended
awaitable<std::vector<uuid>> revoke_others(principal_changes& changes, pool& db, uuid user_id, uuid keep,
                                           audit::entry event);

/// Returns the ids of those ended. Commit with a change of the user.
void add_revoke_all(batch& work, const uuid& user_id);

/// As add_revoke_all, all but one.
void add_revoke_others(batch& work, const uuid& user_id, const uuid& keep);

} // namespace db::sessions
