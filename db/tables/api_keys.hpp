// API keys: minted, rotated, revoked. Only a keyed digest of a key is stored.
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
class transaction;
}

namespace db::api_keys {

BOOST_DEFINE_ENUM_CLASS(status, active, revoked, expired)

struct row {
    uuid id{};
    std::string prefix;
    std::string name;
    std::vector<std::string> scopes;
    uuid workspace_id{};

    /// The owner; nothing: a workspace's key.
    std::optional<uuid> user_id;

    /// Of a workspace's key only.
    std::optional<db::role> role;
    std::optional<uuid> created_by;
    std::optional<uuid> rotated_from;
    timestamp created_at;
    std::optional<timestamp> expires_at;
    std::optional<timestamp> last_used_at;
    std::optional<timestamp> revoked_at;

    /// When its successor was minted.
    std::optional<timestamp> rotated_at;
    api_keys::status status = api_keys::status::active;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, prefix, name, scopes, workspace_id, user_id, role, created_by, rotated_from,
                       created_at, expires_at, last_used_at, revoked_at, rotated_at, status))

struct draft {
    uuid id{};
    std::string_view prefix;
    db::digest digest{};
    std::string_view name;

    /// At least one.
    std::vector<std::string> scopes;
    uuid workspace_id{};

    /// The owner; nothing: a workspace's key, with a role.
    std::optional<uuid> user_id;

    /// Of a workspace's key only.
    std::optional<db::role> role;
    std::optional<uuid> created_by;
    std::optional<timestamp> expires_at;
};

/** Inserts a key and returns the row. Commit with an invalidation of the digest. The batch fails on
    api_keys_prefix_key if the prefix is taken (try another), and with owner_left() if the owner is no
    longer a member. */
void add_insert(batch& work, const draft& key);

/// True if a batch failed because the key's owner is not a member of the workspace.
bool owner_left(const failure& error);

/// The keys that a call has access to: one user's own, or every key of the workspace.
struct owner_filter {
    uuid workspace_id{};

    /// Nothing: all of the workspace (needs api_keys:admin).
    std::optional<uuid> user_id;
};

awaitable<std::optional<row>> find_by_prefix(pool& db, owner_filter filter, std::string prefix);

/// By digest, in any workspace and any state: for a report of a leaked key.
awaitable<std::optional<row>> find_by_digest(pool& db, db::digest digest);

struct query {
    owner_filter owner;
    std::optional<api_keys::status> status;

    /// Active keys alone that end before this time: `status` does not count.
    std::optional<timestamp> expires_before;

    /// The last id of the previous page.
    std::optional<uuid> before;

    /// One more than the page size, to see whether there is a next page.
    int limit = 51;
};

struct page {
    std::vector<row> rows;

    /// Rows that match the filter; nothing if above count_cap.
    std::optional<std::int64_t> total;
};

/// Keys that match the filter, newest first.
awaitable<page> list(pool& db, query wanted);

/// Every active key of a user, in all workspaces.
awaitable<std::vector<row>> list_live(pool& db, uuid user_id);

/// A partial update: an absent member keeps its value; an empty inner optional removes the expiry.
struct edit {
    std::optional<std::string> name;
    std::optional<std::vector<std::string>> scopes;
    std::optional<std::optional<timestamp>> expires_at;
};

/// unknown: no key matches the filter. In all other cases but done, the key is unchanged: it was rotated or
/// revoked, it has expired (of rotate() alone), or it is not as expected (outdated).
BOOST_DEFINE_ENUM_CLASS(outcome, done, unknown, rotated, revoked, expired, outdated)

/// What the caller has checked about a key: a change fails as outdated if it holds no more (compare and set).
struct expected_rights {
    std::vector<std::string> scopes;
    std::optional<timestamp> expires_at;

    /// Of a workspace's key.
    std::optional<db::role> role;
};

expected_rights rights_of(const row& key);

struct change_result {
    api_keys::outcome outcome = api_keys::outcome::unknown;

    /// The key after the call; nothing if unknown. After a successful rotation: the successor.
    std::optional<row> key;
};

/** Changes a key that is neither revoked nor rotated, and is as expected.
    @param tx    may begin with statements of the caller, such as a credential check
    @param event recorded if done */
awaitable<change_result> update(transaction tx, owner_filter filter, std::string prefix,
                                expected_rights expected, edit edits, audit::entry event);

struct revoked_key {
    uuid id{};
    std::string prefix;
    std::string name;
    uuid workspace_id{};
    std::optional<uuid> user_id;

    /// False: it had been revoked before.
    bool revoked_now = false;
};
BOOST_DESCRIBE_STRUCT(revoked_key, (), (id, prefix, name, workspace_id, user_id, revoked_now))

/** Revokes a key. Idempotent; a repeated call too returns only when no node has the key cached.
    @param event recorded if this call revoked it
    @return nothing if no key matches the filter */
awaitable<std::optional<revoked_key>> revoke(transaction tx, owner_filter filter, std::string prefix,
                                             audit::entry event);

/// Whether the creator of a workspace's key has a verified address; the workspace's owner, if the creator's
/// account has been deleted.
awaitable<bool> has_verified_creator(pool& db, uuid workspace_id, uuid id);

/** As revoke(), by digest and in any workspace: possession of the key is enough.
    @param event recorded as above; its workspace is set here
    @param mail  if any, queued for the key's owner if this call revoked it */
awaitable<std::optional<revoked_key>> revoke_by_digest(transaction tx, db::digest digest, audit::entry event,
                                                       std::optional<outbox::draft> mail);

/** Sets the secret of a key that was minted with the digest of a claim token in its place.
    Also fails if the one who minted it could no longer do so, because the workspace reserves minting for
    admins.
    @param within maximum age of the claim
    @param event  recorded if done; its workspace and actor, the user who minted the key, are set here
    @return the key, or nothing if there is no such claim */
awaitable<std::optional<row>> claim(transaction tx, db::digest claim, db::digest secret,
                                    std::chrono::minutes within, audit::entry event);

struct successor {
    uuid id{};
    std::string prefix;
    db::digest digest{};
    std::optional<uuid> created_by;
};

/** Replaces an active key, which is as expected and was not rotated before, by one with the same name, owner,
    role, scopes and expiry. The old key stays valid for `grace`, or until its own expiry if that is earlier;
    without a grace period it is revoked at once. Fails on api_keys_prefix_key if the successor's prefix is
    taken.
    @param tx    as in update()
    @param event recorded if done */
awaitable<change_result> rotate(transaction tx, owner_filter filter, std::string prefix,
                                expected_rights expected, successor next, std::chrono::seconds grace,
                                audit::entry event);

/// The prefix of a rotated key's successor; nothing if that row is gone.
awaitable<std::optional<std::string>> find_successor(pool& db, row rotated);

/// Returns the ids. Commit with an invalidation of the user.
void add_revoke_all_of_user(batch& work, const uuid& user_id);

/// For a member who leaves: put it after the deletion of the membership, which by its lock makes concurrently
/// minted keys visible. Returns the ids. Commit with an invalidation of the user.
void add_revoke_all_of_member(batch& work, const uuid& workspace_id, const uuid& user_id);

} // namespace db::api_keys
