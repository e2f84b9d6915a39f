// Transactional outbox: emails queued in the transaction of a change and delivered in the background.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db::outbox {

/// The template of an email. Some are also the notification kinds that users switch off.
BOOST_DEFINE_ENUM_CLASS(kind, verify, reset, address_taken, email_change, email_change_notice,
                        password_changed, new_sign_in, key_minted, key_reported, invite, invite_reminder,
                        approval_asked, approval_given, approval_refused)

/// An email to be queued.
struct draft {
    uuid id{};
    outbox::kind kind{};

    /// Template variables, a JSON object; no secret.
    std::string variables = "{}";

    /// The token of the email's link, encrypted; empty: it has no link.
    std::vector<std::uint8_t> sealed_token;
};

/// Queues an email to a user's own address, unless the user has switched this kind off.
void add_to_user(batch& work, const draft& mail, const uuid& user_id);

/// Queues an email to any address on behalf of a user. It contains the user's name only if this address is
/// the user's verified one.
void add_to_address(batch& work, const draft& mail, const uuid& user_id, std::string_view recipient);

/// Queues an email to the owner of a key that the same transaction has revoked, or to the workspace's owner
/// for a workspace's key. The variables get the key's name.
void add_to_key_owner(batch& work, const draft& mail, const digest& key);

/// Queues an email to the address of an invite, if the invite exists and has this token.
void add_to_invitee(batch& work, const draft& mail, const uuid& invite_id, const digest& token);

struct row {
    uuid id{};
    outbox::kind kind{};
    std::optional<uuid> user_id;
    std::string recipient;
    std::optional<std::string> name;
    std::string variables;
    std::optional<std::vector<std::uint8_t>> sealed_token;

    /// Previous delivery attempts.
    std::int32_t attempts = 0;
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, kind, user_id, recipient, name, variables, sealed_token, attempts, created_at))

/** Claims the email that has been due the longest: begins a transaction that holds its row lock and ends
    with mark_sent(), postpone() or mark_failed(). If the worker dies, its connection releases the lock.
    Needs a pool of one connection used by nothing else.
    @return nothing, and no transaction, if none is due */
awaitable<std::optional<row>> claim_next(pool& db);

/// Deletes a delivered email.
awaitable<void> mark_sent(pool& db, uuid id);

/// Schedules the next attempt after a temporary failure. @param cause for the operator
awaitable<void> postpone(pool& db, uuid id, std::chrono::milliseconds wait, std::string cause);

/// Records a permanent failure. The row is kept, without its token, until purge().
awaitable<void> mark_failed(pool& db, uuid id, std::string cause);

/// Ends an open transaction, if there is one.
awaitable<void> rollback(pool& db);

/// The number of emails, and the age of the oldest pending one.
struct stats {
    std::int64_t pending = 0;
    std::int64_t failed = 0;
    std::int64_t oldest_pending_seconds = 0;
};
BOOST_DESCRIBE_STRUCT(stats, (), (pending, failed, oldest_pending_seconds))

awaitable<stats> load_stats(pool& db);

} // namespace db::outbox
