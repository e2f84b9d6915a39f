#include "db/tables/retention.hpp"

namespace db {

static const statement purge_tokens{"purge_tokens", "DELETE FROM one_time_tokens WHERE expires_at < now()"};
static const statement purge_codes{"purge_codes", "DELETE FROM oauth_codes WHERE expires_at < now()"};
static const statement purge_letters{"purge_letters",
                                     "DELETE FROM outbox WHERE failed_at < now() - interval '7 days'"};
static const statement purge_orphaned_letters{"purge_orphaned_letters", R"(
    DELETE FROM outbox WHERE id IN (
        SELECT id FROM outbox o
        WHERE user_id IS NOT NULL AND NOT EXISTS (SELECT FROM users WHERE id = o.user_id)
        FOR UPDATE SKIP LOCKED))"};
static const statement purge_devices{"purge_devices",
                                     "DELETE FROM known_devices WHERE seen_at < now() - interval '1 year'"};

// For a month a link can be told what has become of it.
static const statement purge_invites{"purge_invites",
                                     "DELETE FROM invites WHERE expires_at < now() - interval '30 days'"};

awaitable<void> purge(pool& db)
{
    batch work;
    work.add(purge_tokens)
        .add(purge_codes)
        .add(purge_letters)
        .add(purge_orphaned_letters)
        .add(purge_devices)
        .add(purge_invites);
    co_await db.run(std::move(work));
}

} // namespace db
