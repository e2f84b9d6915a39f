#include "db/tables/known_devices.hpp"

namespace db::known_devices {

// All parts of a statement see the same snapshot: neither the EXISTS conditions nor the deletion see the new
// row. Concurrent sign-ins of a user do not wait for each other's deletions.
static const statement record_device{"known_devices_record", R"(
    WITH recorded AS (
        INSERT INTO known_devices (user_id, agent, network) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, agent, network) DO UPDATE SET seen_at = now()),
    surplus AS (
        SELECT agent, network FROM known_devices
        WHERE user_id = $1 AND (agent, network) <> ($2, $3)
        ORDER BY seen_at DESC, agent, network OFFSET $7),
    locked AS (
        SELECT agent, network FROM known_devices
        WHERE user_id = $1 AND (agent, network) IN (SELECT agent, network FROM surplus)
        FOR UPDATE SKIP LOCKED),
    forgotten AS (
        DELETE FROM known_devices
        WHERE user_id = $1 AND (agent, network) IN (SELECT agent, network FROM locked))
    INSERT INTO outbox (id, kind, variables, user_id, recipient)
    SELECT $4, $5, $6, u.id, u.email
    FROM users u
    WHERE u.id = $1 AND wants_mail(u, $5)
      AND EXISTS (SELECT FROM known_devices WHERE user_id = $1)
      AND NOT EXISTS (SELECT FROM known_devices WHERE user_id = $1 AND agent = $2))"};

void add_record(batch& work, const uuid& user_id, const device& used, const outbox::draft& mail)
{
    work.add(record_device, user_id, used.agent, used.network, mail.id, mail.kind, mail.variables,
             std::int64_t{most_devices - 1});
}

static const statement find_device{"known_devices_find", R"(
    SELECT FROM known_devices d JOIN users u ON u.id = d.user_id
    WHERE u.email_normalized = $1 AND d.agent = $2 AND d.network = $3)"};

awaitable<bool> is_known(pool& db, std::string email_normalized, device used)
{
    auto found = co_await db.run(find_device, email_normalized, used.agent, used.network);
    co_return !found.empty();
}

} // namespace db::known_devices
