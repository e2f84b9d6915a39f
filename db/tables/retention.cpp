#include "db/tables/retention.hpp"

namespace db {

static const statement purge_tokens{"purge_tokens", "DELETE FROM one_time_tokens WHERE expires_at < now()"};
static const statement purge_pending_signups{"purge_pending_signups",
                                             "DELETE FROM pending_signups WHERE expires_at < now()"};
static const statement purge_codes{"purge_codes", "DELETE FROM oauth_codes WHERE expires_at < now()"};
static const statement purge_failed_mail{"purge_failed_mail",
                                         "DELETE FROM outbox WHERE failed_at < now() - interval '7 days'"};
static const statement purge_orphaned_mail{"purge_orphaned_mail", R"(
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox o
        WHERE user_id IS NOT NULL AND NOT EXISTS (SELECT FROM users WHERE id = o.user_id)
        FOR UPDATE SKIP LOCKED))"};
static const statement purge_known_devices{
    "purge_known_devices", "DELETE FROM known_devices WHERE seen_at < now() - interval '1 year'"};

// An invite is kept for a month after its expiry, so that its link can show why it is invalid.
static const statement purge_invites{"purge_invites",
                                     "DELETE FROM invites WHERE expires_at < now() - interval '30 days'"};

// Budgets look back one hour.
static const statement purge_mail_counts{"purge_mail_counts",
                                         "DELETE FROM mail_sent WHERE at < now() - interval '1 hour'"};
static const statement purge_mail_hours{"purge_mail_hours",
                                        "DELETE FROM mail_hours WHERE hour < now() - interval '1 day'"};

awaitable<void> purge(pool& db)
{
    batch work;
    work.add(purge_tokens)
        .add(purge_pending_signups)
        .add(purge_codes)
        .add(purge_failed_mail)
        .add(purge_orphaned_mail)
        .add(purge_known_devices)
        .add(purge_invites)
        .add(purge_mail_counts)
        .add(purge_mail_hours);
    co_await db.run(std::move(work));
}

} // namespace db
