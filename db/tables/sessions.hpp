// Login sessions: one sign-in on one device, kept alive by rotating refresh tokens.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/tables/accounts.hpp"
#include "db/tables/audit.hpp"

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
class transaction;
}

namespace db::sessions {

struct draft {
    uuid id{};
    uuid user_id{};

    /// As read with the hash that was verified; 0 for a new user.
    std::int32_t password_version = 0;

    /// The workspace of the first access token.
    std::optional<uuid> workspace_id;

    /// Random, for the MAC of its refresh tokens.
    std::span<const std::uint8_t> salt;

    /// Of the cookie of a browser's session, which has no refresh tokens.
    std::optional<digest> cookie_digest;

    /// The time of the sign-in; nothing: now.
    std::optional<timestamp> created_at;
    timestamp expires_at;
    std::string_view ip;
    std::string_view user_agent;
};

/** Opens a session at counter 0. The batch fails with was_outdated() if the account was disabled or its
    password changed since password_version was read: a login in flight during a password reset must not
    survive the reset. */
void add_insert(batch& work, const draft& session);

/// True if a batch failed because the password was changed or the account disabled during the login.
bool was_outdated(const failure& error);

/// The salt to check a refresh token's MAC with; nothing for a revoked, expired or unknown session, or a
/// browser's.
awaitable<std::optional<std::vector<std::uint8_t>>> find_refresh_salt(pool& db, uuid id);

/// The same of a session in any state, to revoke by a refresh token.
awaitable<std::optional<std::vector<std::uint8_t>>> find_salt(pool& db, uuid id);

/// A refresh token with a valid MAC, and the client that presents it.
struct refresh_request {
    uuid id{};
    std::int64_t counter = 0;
    std::string ip;
    std::string user_agent;
    timestamp new_expiry;

    /// The session has expired this long after its sign-in, even if it was refreshed since.
    std::chrono::seconds max_age{7776000};

    /// The workspace of the access token; nothing: the session's.
    std::optional<uuid> workspace_id;

    /// How long a used token still yields the same successor.
    std::chrono::seconds grace{10};

    /// The id of the audit event recorded on reuse.
    uuid audit_id{};
    std::string request_id;
};

/** renewed: the token was used, now or within the grace period, and yields its successor. reused: it was used
    before that, so the session was revoked. gone: the session was revoked or has expired. */
BOOST_DEFINE_ENUM_CLASS(refresh_outcome, renewed, reused, gone)

struct refresh_result {
    refresh_outcome outcome = refresh_outcome::gone;

    /// Of the successor.
    std::int64_t counter = 0;

    /// Of the session.
    timestamp expires_at;

    /// The user, with their membership in the requested workspace if they have one. A session without a
    /// workspace switches to the one that a login would open. Nothing if reused or gone.
    std::optional<users::account> account;
};

/** Uses a refresh token. One atomic statement decides under the row's lock: of two concurrent calls one
    uses the token, the other is a retry, and both get the same successor. A retry is granted only while
    the successor is unused, within the grace period, and not with both another address and another user
    agent. */
awaitable<refresh_result> refresh(transaction tx, refresh_request token);

/// Whether the user of an active session is a member of a workspace.
awaitable<bool> can_switch_to(pool& db, uuid id, uuid workspace_id);

struct switched_session {
    /// Always present; optional as users::account's.
    std::optional<memberships::workspace_membership> opened;
    timestamp session_expires;
};

/** Switches an active session to another workspace of its user, which the next login opens too.
    @param max_age as in refresh_request
    @param event   recorded if done
    @return nothing if the user has no membership there, or the session was revoked */
awaitable<std::optional<switched_session>> switch_to(pool& db, uuid id, uuid user_id, uuid workspace_id,
                                                     std::chrono::seconds max_age, audit::entry event);

/// The time of the sign-in of an active session.
awaitable<std::optional<timestamp>> find_created_at(pool& db, uuid id);

/// What keeps a session alive: refresh tokens, or the cookie of a browser.
BOOST_DEFINE_ENUM_CLASS(session_kind, token, browser)

struct row {
    uuid id{};
    std::optional<uuid> workspace_id;
    timestamp created_at;
    timestamp last_seen_at;
    timestamp expires_at;
    std::string ip;
    std::string user_agent;
    session_kind kind = session_kind::token;
};
BOOST_DESCRIBE_STRUCT(row, (), (id, workspace_id, created_at, last_seen_at, expires_at, ip, user_agent, kind))

struct page {
    /// Up to `limit`, which may be one more than the page size.
    std::vector<row> rows;
    std::int64_t total = 0;
};

/** Active sessions of a user, newest first.
    @param max_age as in refresh_request
    @param before  the last id of the previous page */
awaitable<page> list(pool& db, uuid user_id, std::chrono::seconds max_age, std::optional<uuid> before,
                     int limit);

/** Revokes a session of any user. Idempotent.
    @param event recorded if this call revoked it; its actor is the session's user */
awaitable<void> end(transaction tx, uuid id, audit::entry event);

/** Revokes a session of this user. Idempotent.
    @param event recorded if this call revoked it; the caller sets its target
    @return false if the user never had such a session */
awaitable<bool> revoke(transaction tx, uuid id, uuid user_id, audit::entry event);

/// Revokes all sessions of a user but one. @return the ids of those revoked
awaitable<std::vector<uuid>> revoke_others(transaction tx, uuid user_id, uuid keep, audit::entry event);

/// Returns the ids of those revoked. Commit with an invalidation of the user.
void add_revoke_all(batch& work, const uuid& user_id);

/// As add_revoke_all(), except for one.
void add_revoke_others(batch& work, const uuid& user_id, const uuid& keep);

} // namespace db::sessions
