#include "db/tables/known_devices.hpp"

namespace db::known_devices {

// All parts of a statement see the same snapshot: the EXISTS conditions do not see the new device.
static const statement record_device{"known_devices_record", R"(
    WITH recorded AS (
        INSERT INTO known_devices (user_id, agent, network) VALUES ($1, $2, $3)
        ON CONFLICT (user_id, agent) DO UPDATE SET seen_at = now(), network = excluded.network)
    INSERT INTO outbox (id, kind, variables, user_id, recipient)
    SELECT $4, $5, $6, u.id, u.email
    FROM users u
    WHERE u.id = $1 AND wants_mail(u, $5)
      AND EXISTS (SELECT FROM known_devices WHERE user_id = $1)
      AND NOT EXISTS (SELECT FROM known_devices WHERE user_id = $1 AND agent = $2))"};

void add_record(batch& work, const uuid& user_id, const device& used, const outbox::draft& mail)
{
    work.add(record_device, user_id, used.agent, used.network, mail.id, mail.kind, mail.variables);
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
