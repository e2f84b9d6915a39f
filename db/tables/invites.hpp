// Invites into a workspace: made, sent again, cancelled, accepted.
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

namespace db::invites {

/// pending and expired ones can be sent again, accepted and cancelled ones are over.
BOOST_DEFINE_ENUM_CLASS(status, pending, expired, accepted, cancelled)

struct row {
    uuid id{};
    uuid workspace_id{};
    std::string email;
    std::string email_normalized;
    db::role role = db::role::member;
    std::optional<uuid>
        invited_by; ///< who sent it last; nothing: by a workspace's key, or by somebody who has gone
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
    db::digest digest{}; ///< of the token in its mail
    std::optional<outbox::draft> letter;
    audit::entry event; ///< written with it; its target is set here
};

/// On whose rights an invite rests: it ends with the person's, and with the key that it was sent with.
struct sender {
    std::optional<uuid> user_id; ///< nothing: a workspace's key
    std::optional<uuid> key_id;  ///< nothing: a session
};

/// created: and sent. The others: nothing was done.
BOOST_DEFINE_ENUM_CLASS(outcome, created, already_member, already_invited)

/** Invite several people at once; each is invited or not by itself. One of an address given twice counts.
    @param first what goes first in the same transaction, such as a check
    @return an outcome for each draft, in their order */
awaitable<std::vector<outcome>> create(pool& db, batch first, uuid workspace_id, sender from,
                                       timestamp expires_at, std::vector<draft> drafts);

struct query {
    uuid workspace_id{};
    std::optional<db::role> role;
    std::optional<std::string> text; ///< somewhere in the address, in whatever case
    bool even_expired = true;
    std::optional<uuid> after; ///< the last id of the page before
    int limit = 51;            ///< one more than shown tells whether there are more
};

struct page {
    std::vector<row> rows;
    std::optional<std::int64_t> total; ///< of the filter; nothing if there are too many to count
};

/// Invites of a workspace that are not over, the oldest first.
awaitable<page> list(pool& db, query wanted);

/// An invite of a workspace that is not over.
awaitable<std::optional<row>> find(pool& db, uuid workspace_id, uuid id);

/** Send an invite again, with a new token: the older ones are void, and it is as fresh as a new one, and
   rests on whoever sent it now.
    @param first as in create()
    @param event written if done
    @return false if there is no such invite that is not over */
awaitable<bool> resend(pool& db, batch first, uuid workspace_id, uuid id, sender from, db::digest digest,
                       timestamp expires_at, outbox::draft letter, audit::entry event);

/// @param first as in create() @param event written if this call cancelled it
/// @return false if there is no such invite that is not over
awaitable<bool> cancel(pool& db, batch first, uuid workspace_id, uuid id, audit::entry event);

/// What somebody who has the token of an invite may know of it.
struct preview {
    uuid id{};
    uuid workspace_id{};
    std::string workspace;
    std::string email;
    std::string email_normalized;
    db::role role = db::role::member;
    std::optional<std::string> invited_by; ///< a name
    timestamp expires_at;
    invites::status status = invites::status::pending;
    bool is_replaced = false; ///< the token is one of an earlier mail
    bool has_account = false; ///< there is an account that has proved the address to be its own
};
BOOST_DESCRIBE_STRUCT(preview, (),
                      (id, workspace_id, workspace, email, email_normalized, role, invited_by, expires_at,
                       status, is_replaced, has_account))

/// By the digest of a token, whatever has become of the invite.
awaitable<std::optional<preview>> find_by_digest(pool& db, db::digest digest);

/** Make a person a member, as the invite says. The person's address is the invite's, or the batch fails as
   with a spent one-time token; so it does if the invite is over, and of two that accept at the same time one
   finds it so. It fails with was_member_already() if they belong to the workspace already. Commit with a
   change of the person. */
void add_accept(batch& work, const db::digest& digest, const uuid& user_id);

/// True if a batch failed because whoever accepts is a member already.
bool was_member_already(const failure& error);

/// Every open invite that a person has made, in whatever workspace, is over.
void add_cancel_all_by(batch& work, const uuid& user_id);

} // namespace db::invites
