// People: accounts, their profiles and password hashes.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/principals.hpp"
#include "db/tables/audit.hpp"
#include "db/tables/memberships.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

namespace db {
class principal_changes;
}

namespace db::users {

struct row {
    uuid id{};
    std::string email;
    std::optional<std::string> name;
    std::optional<std::string> title;
    std::string locale;
    std::string timezone;
    std::optional<timestamp> email_verified_at;
    std::optional<timestamp> disabled_at;
    std::optional<std::int32_t> avatar_version;
    std::optional<std::string> password_hash; ///< nothing: signs in otherwise
    std::int32_t password_version = 0;        ///< grows when the password is replaced or voided
    std::optional<uuid> last_workspace_id;
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, email, name, title, locale, timezone, email_verified_at, disabled_at,
                       avatar_version, password_hash, password_version, last_workspace_id, created_at))

/// A user and the place they sign in to; no place if they belong to no workspace.
struct account {
    row user;
    std::optional<memberships::place> place;
};

awaitable<std::optional<row>> find(pool& db, uuid id);

/// @param email normalized, as email_normalized holds it
awaitable<std::optional<row>> find_by_email(pool& db, std::string email);

/** All that a login needs, in one round trip: the user and the workspace to sign in to, which is the one
    last used if still a member, else the oldest membership. Disabled accounts are found as well. */
awaitable<std::optional<account>> find_for_login(pool& db, std::string email);

/// A user who has been found in another way, with the place they sign in to.
awaitable<account> with_place(pool& db, row user);

struct draft {
    uuid id{};
    std::string_view email;            ///< as typed
    std::string_view email_normalized; ///< as compared
    std::optional<std::string_view> password_hash;
    std::optional<std::string_view> name;
    std::string_view locale = "en";
    std::string_view timezone = "UTC";
    bool email_verified = false;
};

/// Returns the row. Fails on users_email_key if the address has an account.
void add_insert(batch& work, const draft& user);

/** Make room for a new account with the address of this one, which has not been verified: see
   vacate_address() in the migrations. Does nothing if it has been verified or disabled meanwhile, or has
   colleagues. Returns the ids of workspaces in which credentials end with it: commit with reach_of(). */
void add_vacate(batch& work, const uuid& id);

/** End what somebody may have planted in an account before its address was proved: password, sessions, keys,
   links. Returns the ids of workspaces: commit with reach_of(). */
void add_dispossess(batch& work, const uuid& id);

/** All whose credentials may end with an account: the person, and the workspaces they are in. For
    principal_changes::commit(), which has to know before the batch has run. */
awaitable<change> reach_of(pool& db, uuid id);

/// The same as it turned out: from the answer of add_vacate(), add_dispossess() or add_delete().
change reach_of(const uuid& id, const result& ended);

/** The address is the user's own, if it still is this one. What rested on that takes effect: see
    join_requests::add_settle(). Commit with a change of the user. Returns the row, and one of no interest.
    @param joined the event should they become a member of a workspace by it */
void add_verify_email(batch& work, const uuid& id, std::string_view email, const audit::entry& joined);

/// The user's address is this one from now on, and is verified; a request to join that rested on the former
/// one is gone. Fails on users_email_key if it has an account. Returns the row.
void add_change_email(batch& work, const uuid& id, std::string_view email, std::string_view email_normalized);

/** Take the person out, with all that only they had. The batch fails, with would_orphan(), if one of their
    workspaces has other members. Returns the ids of the workspaces that go too: commit with reach_of(). */
void add_delete(batch& work, const uuid& id);

/// True if a batch failed because a workspace would have lost its owner.
bool would_orphan(const failure& error);

/// True if a batch failed because a workspace of somebody else's would have no admin left who can act.
bool would_leave_no_admin(const failure& error);

/// Which notices the person has switched, as JSON: {kind: {channel: bool}}. Nothing if there is no such user.
awaitable<std::optional<std::string>> find_notifications(pool& db, uuid id);

/// Switch notices; those that are not named stay as they are. @param switched as above @return all of them
awaitable<std::optional<std::string>> update_notifications(pool& db, uuid id, std::string switched);

/// What to change: an absent member stays as it is, an empty inner optional clears it.
struct profile_edit {
    std::optional<std::optional<std::string>> name;
    std::optional<std::optional<std::string>> title;
    std::optional<std::string> locale;
    std::optional<std::string> timezone;
};

/// The changed row, or nothing if there is no such user.
awaitable<std::optional<row>> update_profile(pool& db, uuid id, profile_edit edit);

/** Store the same password under a hash of newer costs, unless the password has changed since `old_hash`
    was read: an upgrade must never bring an old password back.
    @return false if it had */
awaitable<bool> update_password_hash(pool& db, uuid id, std::string old_hash, std::string new_hash);

void add_set_name(batch& work, const uuid& id, std::string_view name);

/** Replace the password, or void it. What was decided on the older one no longer opens a session. Put it
    before the statements that end sessions in its batch, and commit with a change of the user. */
void add_set_password(batch& work, const uuid& id, std::optional<std::string_view> hash);

/// Remember where the next login leads.
void add_set_last_workspace(batch& work, const uuid& id, const uuid& workspace_id);

/** Disable the account and end its sessions, its keys and the invites it made. Doing it again changes
   nothing. Every process that serves the database is told.
    @param email normalized
    @param event written into the trail of every workspace they belong to; id, workspace and target are set
   here
    @return the user, or nothing if the address has no account */
awaitable<std::optional<uuid>> disable(principal_changes& changes, pool& db, std::string email,
                                       audit::entry event, std::function<uuid()> make_id);

/** Let a disabled account sign in again. What ended with it stays ended; an address that it had to give up it
   gets back if nobody else has taken it.
    @param email as it was typed at sign-up @param event, make_id as above
    @return the user, or nothing if no disabled account has the address */
awaitable<std::optional<uuid>> restore(principal_changes& changes, pool& db, std::string email,
                                       audit::entry event, std::function<uuid()> make_id);

} // namespace db::users
