// Invites into a workspace: created, resent, cancelled, accepted.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/role.hpp"
#include "db/tables/audit.hpp"
#include "db/tables/outbox.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db {
class transaction;
}

namespace db::invites {

/// Pending and expired invites are open: they can be resent. Accepted and cancelled ones are closed.
BOOST_DEFINE_ENUM_CLASS(status, pending, expired, accepted, cancelled)

struct row {
    uuid id{};
    uuid workspace_id{};
    std::string email;
    std::string email_normalized;
    db::role role = db::role::member;

    /// The last sender; nothing: a workspace's API key, or a deleted user.
    std::optional<uuid> invited_by;
    timestamp created_at;
    timestamp sent_at;
    timestamp expires_at;
    invites::status status = invites::status::pending;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, workspace_id, email, email_normalized, role, invited_by, created_at, sent_at,
                       expires_at, status))

struct draft {
    uuid id{};
    std::string email;
    std::string email_normalized;
    db::role role = db::role::member;

    /// Of the token in its email.
    db::digest digest{};
    std::optional<outbox::draft> mail;

    /// Recorded if the invite is created; its target is set here.
    audit::entry event;
};

/// The sender of an invite. It is cancelled when the user loses the right to make it, or the key is revoked.
struct sender {
    /// Nothing: a workspace's API key.
    std::optional<uuid> user_id;

    /// Nothing: a session.
    std::optional<uuid> key_id;
};

/// Only `created` had an effect.
BOOST_DEFINE_ENUM_CLASS(outcome, created, already_member, already_invited)

/** Creates several invites at once, each independent of the others. Of an address given twice the first
    counts.
    @param tx may begin with statements of the caller, such as a credential check
    @return an outcome for each draft, in their order */
awaitable<std::vector<outcome>> create(transaction tx, uuid workspace_id, sender from, timestamp expires_at,
                                       std::vector<draft> drafts);

struct query {
    uuid workspace_id{};
    std::optional<db::role> role;

    /// A part of the address; case-insensitive.
    std::optional<std::string> text;
    bool include_expired = true;

    /// The last id of the previous page.
    std::optional<uuid> after;

    /// One more than the page size, to see whether there is a next page.
    int limit = 51;
};

struct page {
    std::vector<row> rows;

    /// Rows that match the filter; nothing if above count_cap.
    std::optional<std::int64_t> total;
};

/// Open invites of a workspace, oldest first.
awaitable<page> list(pool& db, query wanted);

/// An open invite of a workspace.
awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid id);

/** Resends an invite with a new token and a new sender. Older tokens are no longer valid.
    @param tx    as in create()
    @param event recorded if done
    @return false if there is no such open invite */
awaitable<bool> resend(transaction tx, uuid workspace_id, uuid id, sender from, db::digest digest,
                       timestamp expires_at, outbox::draft mail, audit::entry event);

/** Cancels an invite.
    @param tx    as in create()
    @param event recorded if this call cancelled it
    @return false if there is no such open invite */
awaitable<bool> cancel(transaction tx, uuid workspace_id, uuid id, audit::entry event);

/// An invite as shown to the holder of its token.
struct preview {
    uuid id{};
    uuid workspace_id{};
    std::string workspace;
    std::string email;
    std::string email_normalized;
    db::role role = db::role::member;

    /// A name.
    std::optional<std::string> invited_by;
    timestamp expires_at;
    invites::status status = invites::status::pending;

    /// The token is from an earlier email.
    bool is_replaced = false;

    /// An account has this address, verified.
    bool has_account = false;

    /// An account has this address, but was never proved to be of its owner.
    bool has_unproved_account = false;
};
BOOST_DESCRIBE_STRUCT(preview, (),
                      (id, workspace_id, workspace, email, email_normalized, role, invited_by, expires_at,
                       status, is_replaced, has_account, has_unproved_account))

/// By the digest of a token, open or closed.
awaitable<std::optional<preview>> find_by_digest(pool& db, db::digest digest);

/** Accepts an invite: the user becomes a member with its role. The batch fails with
    one_time_tokens::was_invalid() if the invite is closed or for another address, so that of two
    concurrent calls one fails, and with was_already_member() if the user is a member already. Commit with
    an invalidation of the user. */
void add_accept(batch& work, const db::digest& digest, const uuid& user_id);

/// True if a batch failed because the user is a member already.
bool was_already_member(const failure& error);

/// Cancels every open invite of a user, in all workspaces.
void add_cancel_all_by(batch& work, const uuid& user_id);

} // namespace db::invites
