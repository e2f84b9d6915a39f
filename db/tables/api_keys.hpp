// API keys: minted once, kept as a keyed digest, revoked for ever.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/role.hpp"
#include "db/tables/audit.hpp"
#include "db/tables/outbox.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db {
class principal_changes;
}

namespace db::api_keys {

BOOST_DEFINE_ENUM_CLASS(status, active, revoked, expired)

struct row {
    uuid id{};
    std::string prefix;
    std::string name;
    std::vector<std::string> scopes;
    uuid workspace_id{};
    std::optional<uuid> user_id;  ///< nothing: the workspace's own
    std::optional<db::role> role; ///< of a workspace's key only
    std::optional<uuid> created_by;
    std::optional<uuid> rotated_from;
    timestamp created_at;
    std::optional<timestamp> expires_at;
    std::optional<timestamp> last_used_at;
    std::optional<timestamp> revoked_at;
    api_keys::status status = api_keys::status::active;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, prefix, name, scopes, workspace_id, user_id, role, created_by, rotated_from,
                       created_at, expires_at, last_used_at, revoked_at, status))

struct draft {
    uuid id{};
    std::string_view prefix;
    db::digest digest{};
    std::string_view name;
    std::vector<std::string> scopes; ///< at least one
    uuid workspace_id{};
    std::optional<uuid> user_id;  ///< nothing: the workspace's own, with a role
    std::optional<db::role> role; ///< of a workspace's key only
    std::optional<uuid> created_by;
    std::optional<timestamp> expires_at;
};

/** Mint. Returns the row. Commit with a change of the digest. The batch fails on api_keys_prefix_key if the
    prefix is taken (try another), and with was_orphaned() if the owner is no longer a member. */
void add_insert(batch& work, const draft& key);

/// True if a batch failed because a key's owner-to-be is not a member of the workspace.
bool was_orphaned(const failure& error);

/// Whose keys a call may touch: one user's own, or every key of the workspace.
struct reach {
    uuid workspace_id{};
    std::optional<uuid> user_id; ///< nothing: all of the workspace (needs api_keys:admin)
};

awaitable<std::optional<row>> find_by_prefix(pool& db, reach within, std::string prefix);

/// By digest, of whatever workspace, whatever its state: for a report of a leaked key.
awaitable<std::optional<row>> find_by_digest(pool& db, db::digest digest);

struct query {
    reach within;
    std::optional<api_keys::status> status;
    std::optional<uuid> before; ///< the last id of the page before
    int limit = 51;             ///< one more than shown tells whether there are more
};

struct page {
    std::vector<row> rows;
    std::optional<std::int64_t> total; ///< of the filter; nothing if there are too many to count
};

/// Keys within reach, the newest first.
awaitable<page> list(pool& db, query wanted);

/// Every key a user owns, in whatever workspace, that is neither revoked nor expired.
awaitable<std::vector<row>> list_live(pool& db, uuid user_id);

/// What to change: an absent member stays as it is; an empty inner optional lets the key live for ever.
struct edit {
    std::optional<std::string> name;
    std::optional<std::vector<std::string>> scopes;
    std::optional<std::optional<timestamp>> expires_at;
};

/// unknown: no such key within reach. revoked: it is, and stays as it was. Only rotate() says expired, and
/// outdated: the key's scopes or expiry are no longer those the successor was to have; nothing was done.
BOOST_DEFINE_ENUM_CLASS(outcome, done, unknown, revoked, expired, outdated)

struct changed {
    api_keys::outcome outcome = api_keys::outcome::unknown;
    std::optional<row>
        key; ///< as it is now; nothing if unknown. After a rotation that was done: the successor
};

/// Change a key that is not revoked. @param first what goes first in the same transaction, such as a check
/// @param event written if done
awaitable<changed> update(principal_changes& changes, pool& db, batch first, reach within, std::string prefix,
                          edit edits, audit::entry event);

struct revoked_key {
    uuid id{};
    std::string prefix;
    std::string name;
    db::digest digest{};
    uuid workspace_id{};
    std::optional<uuid> user_id;
    bool ended_now = false; ///< false: it had been revoked before
};
BOOST_DESCRIBE_STRUCT(revoked_key, (), (id, prefix, name, digest, workspace_id, user_id, ended_now))

/** Revoke a key; revoking it again is no error, and waits again until no core remembers it.
    @param event written if this call revoked it
    @return nothing if there is no such key within reach */
awaitable<std::optional<revoked_key>> revoke(principal_changes& changes, pool& db, reach within,
                                             std::string prefix, audit::entry event);

/// As revoke(), by digest, of whatever workspace: possession of the key is enough. The event gets its
/// workspace.
/// @param news if any, told to the key's owner if this call revoked it
awaitable<std::optional<revoked_key>> revoke_by_digest(principal_changes& changes, pool& db,
                                                       db::digest digest, audit::entry event,
                                                       std::optional<outbox::draft> news);

/** Give a key its secret, which `claim` was stored in the place of since the key was minted.
    @param within how long after that at most
    @param event written if this call did it; it gets the key's workspace and the user who minted the key
    @return the key, or nothing if no such claim is open */
awaitable<std::optional<row>> claim(principal_changes& changes, pool& db, db::digest claim, db::digest secret,
                                    std::chrono::minutes within, audit::entry event);

struct successor {
    uuid id{};
    std::string prefix;
    db::digest digest{};
    std::optional<uuid> created_by;
    std::vector<std::string> scopes;     ///< as the old key is believed to have them
    std::optional<timestamp> expires_at; ///< likewise
};

/** Replace a live key by one of the same name, owner, role, scopes and expiry. The old one lives on for
    `grace`, or until its own expiry if that is earlier; with no grace it is revoked at once.
    Fails on api_keys_prefix_key if the successor's prefix is taken.
    @param first what goes first in the same transaction, such as a check
    @param event written if done */
awaitable<changed> rotate(principal_changes& changes, pool& db, batch first, reach within, std::string prefix,
                          successor next, std::chrono::seconds grace, audit::entry event);

/// Returns the ids. Commit with a change of the user.
void add_revoke_all_of_user(batch& work, const uuid& user_id);

/// Returns the ids. For a member who is leaving: put it after the removal of the membership, whose lock makes
/// keys that are just being minted visible; commit with a change of the user.
void add_revoke_all_of_member(batch& work, const uuid& workspace_id, const uuid& user_id);

} // namespace db::api_keys
