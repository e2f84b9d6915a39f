// Users: accounts, profiles and password hashes.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/invalidation.hpp"
#include "db/tables/accounts.hpp"
#include "db/tables/audit.hpp"

#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace db {
class transaction;
}

namespace db::users {

awaitable<std::optional<row>> find(pool& db, uuid id);

/// @param email normalized, as email_normalized holds it
awaitable<std::optional<row>> find_by_email(pool& db, std::string email);

/// The accounts that have one of these addresses, normalized, and are not proved.
awaitable<std::vector<row>> find_unproved(pool& db, std::vector<std::string> emails);

/** Finds all that a login needs, in one round trip: the user and the workspace to sign in to. That is the
    last one used if the user is still a member, else the oldest membership. Also finds disabled accounts. */
awaitable<std::optional<account>> find_for_login(pool& db, std::string email);

/// Adds the workspace to sign in to, for a user found in another way.
awaitable<account> with_login_workspace(pool& db, row user);

/// The cost parameters that most stored password hashes have, by a sample; nothing if that has none.
awaitable<std::optional<std::string>> find_common_password_costs(pool& db);

struct draft {
    uuid id{};

    /// As entered.
    std::string_view email;

    /// The lookup form.
    std::string_view email_normalized;
    std::optional<std::string_view> password_hash;
    std::optional<std::string_view> name;
    std::string_view locale = "en";
    std::string_view timezone = "UTC";
    bool email_verified = false;
    bool verified_by_link_only = false;

    /// See row::signup_agent.
    std::string_view signup_agent = {};
};

/// Returns the row. Fails on users_email_key if the address has an account.
void add_insert(batch& work, const draft& user);

/** Retires an unproved account, so that its address can go to a new one of the same transaction (account
    pre-hijacking), or returns it to the address that it had proved before: see retire_account() in the
    migrations. Fails the batch with one_time_tokens::was_invalid() if the account has been proved or disabled
    in the meantime. Returns the ids of workspaces: commit with affected_by(). */
void add_retire(batch& work, const uuid& id);

/** The invalidation of everything that may be revoked with an account: the user, and their workspaces. An
    upper bound for transaction::commit(), which needs one before the batch has run. */
awaitable<invalidation> affected_by(pool& db, uuid id);

/// The exact invalidation, from the result of add_retire() or add_delete().
invalidation affected_by(const uuid& id, const result& workspaces);

/// How an address was verified.
enum class proof {
    /// By its link alone: the account stays unproved, and joins no workspace by it.
    link,
    /// With the account's session or password as well, or by a call that made the account.
    account
};

/** Marks the user's address as verified if it still is this one, and resolves the join request that
    depends on it: see join_requests::add_resolve(). Commit with an invalidation of the user. Returns the
    row, and one result that the caller skips.
    @param joined the audit event if the user becomes a member of a workspace by it */
void add_verify_email(batch& work, const uuid& id, std::string_view email, proof by,
                      const audit::entry& joined);

/// Replaces the user's address by a verified one, and deletes a join request that depended on the old one;
/// not for another spelling of the same address. Fails on users_email_key if the address has an account.
/// Returns the row.
void add_change_email(batch& work, const uuid& id, std::string_view email, std::string_view email_normalized,
                      proof by);

/** Deletes the user with everything that belongs to them alone. The batch fails with would_leave_ownerless()
    if one of their workspaces has other members. Returns the ids of the deleted workspaces: commit with
    affected_by(). */
void add_delete(batch& work, const uuid& id);

/// True if a batch failed because a workspace would have lost its owner.
bool would_leave_ownerless(const failure& error);

/// True if a batch failed because a workspace of another owner would have no enabled admin left.
bool would_leave_no_admin(const failure& error);

/// Notification preferences that differ from the default, as JSON: {kind: {channel: bool}}. Nothing if there
/// is no such user.
awaitable<std::optional<std::string>> find_notifications(pool& db, uuid id);

/// Merges preferences into the stored ones. @param changes as above @return the result
awaitable<std::optional<std::string>> update_notifications(pool& db, uuid id, std::string changes);

/// A partial update: an absent member keeps its value, an empty inner optional clears it.
struct profile_edit {
    std::optional<std::optional<std::string>> name;
    std::optional<std::optional<std::string>> title;
    std::optional<std::string> locale;
    std::optional<std::string> timezone;
};

/// @return the changed row, or nothing if there is no such user
awaitable<std::optional<row>> update_profile(pool& db, uuid id, profile_edit edit);

/** Stores a hash of the same password with newer cost parameters, unless the password has changed since
    `old_hash` was read: a rehash must never restore an old password.
    @return false if it had changed */
awaitable<bool> update_password_hash(pool& db, uuid id, std::string old_hash, std::string new_hash);

void add_set_name(batch& work, const uuid& id, std::string_view name);

/** Replaces or removes the password. A login in flight with the old one no longer opens a session. Put it
    before the statements that revoke sessions in its batch, and commit with an invalidation of the user. */
void add_set_password(batch& work, const uuid& id, std::optional<std::string_view> hash);

/// Sets the workspace that the next login opens.
void add_set_last_workspace(batch& work, const uuid& id, const uuid& workspace_id);

/** Disables an account and revokes its sessions, its keys and the invites it made, on every node. Idempotent.
    @param email normalized
    @param event recorded in every workspace of the user; id, workspace and target are set here
    @return the user, or nothing if the address has no account */
awaitable<std::optional<uuid>> disable(transaction tx, std::string email, audit::entry event,
                                       std::function<uuid()> make_id);

/** Enables a disabled account. Revoked credentials stay revoked. A released address is restored if no other
    account has it, also to an account that was not disabled.
    @param email normalized
    @param event, make_id as in disable()
    @return the user, or nothing if no disabled account has the address */
awaitable<std::optional<uuid>> restore(transaction tx, std::string email, audit::entry event,
                                       std::function<uuid()> make_id);

} // namespace db::users
