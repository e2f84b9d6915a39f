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
                        password_changed, new_sign_in, key_minted, key_reported, provider_linked, invite,
                        invite_reminder, approval_asked, approval_given, approval_refused)

/// An email to be queued.
struct draft {
    uuid id{};
    outbox::kind kind{};

    /// Template variables, a JSON object; no secret.
    std::string variables = "{}";

    /// The token of the email's link, encrypted; empty: it has no link.
    std::vector<std::uint8_t> sealed_token;

    /// The user who has it sent to someone else. Variables with their words stay only if their
    /// address is verified, and the email counts against their budget.
    std::optional<uuid> sender_id;

    /// The workspace that it is about. It is the sender where there is no user, and its audit log records
    /// dropped emails.
    std::optional<uuid> workspace_id;
};

// Queuing. The trigger outbox_admit (0011_mail_admission.sql) has the last word on every email: it drops a
// notice to an unverified address and all that exceeds a budget, and removes the recipient's name and the
// free text of users without a verified address. A dropped email fails nothing.

/// Queues an email to a user's own address, unless the user has switched this kind off.
void add_to_user(batch& work, const draft& mail, const uuid& user_id);

/// Queues an email to any address on behalf of a user.
void add_to_address(batch& work, const draft& mail, const uuid& user_id, std::string_view recipient);

/// Queues an email to the address of a pending sign-up.
void add_to_pending_signup(batch& work, const draft& mail, const uuid& signup_id);

/// Queues an email to the owner of a key that the same transaction has revoked, or to the workspace's owner
/// for a workspace's key. The variables get the key's name; its author is the key's creator.
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

    /// Delivery attempts, this one included.
    std::int32_t attempts = 0;
    timestamp created_at;
};
BOOST_DESCRIBE_STRUCT(row, (),
                      (id, kind, user_id, recipient, name, variables, sealed_token, attempts, created_at))

/// Lanes of the queue. Emails about the recipient's own security are sent before all others.
BOOST_DEFINE_ENUM_CLASS(lane, security, bulk)

/** Claims due emails of a lane, those due the longest first, and counts an attempt for each. No transaction
    stays open: until the claim expires no other worker gets them, and after that each worker may. The results
    of an expired claim are ignored, except a delivery.
    @param limit the number of emails to claim
    @param duration must exceed the time that a delivery takes */
awaitable<std::vector<row>> claim(pool& db, lane which, int limit, std::chrono::seconds duration);

/// Deletes delivered emails.
awaitable<void> mark_sent(pool& db, std::vector<uuid> ids);

/// Schedules the next attempt after a temporary failure. @param attempts as claimed
/// @param cause for the operator
awaitable<void> postpone(pool& db, uuid id, std::int32_t attempts, std::chrono::milliseconds wait,
                         std::string cause);

/** Records a permanent failure. The row is kept, without its token, until its retention has passed.
    @param attempts as claimed */
awaitable<void> mark_failed(pool& db, uuid id, std::int32_t attempts, std::string cause);

/// The number of emails, and the age of the oldest pending one.
struct stats {
    std::int64_t pending = 0;
    std::int64_t failed = 0;
    std::int64_t oldest_pending_seconds = 0;
};
BOOST_DESCRIBE_STRUCT(stats, (), (pending, failed, oldest_pending_seconds))

awaitable<stats> load_stats(pool& db);

} // namespace db::outbox
