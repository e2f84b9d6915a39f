#include "db/tables/known_devices.hpp"

namespace db::known_devices {

// All parts of a statement see the same snapshot: the EXISTS conditions do not see the new device.
static const statement record_device{"known_devices_record", R"(
    WITH recorded AS (
        INSERT INTO known_devices (user_id, agent) VALUES ($1, $2)
        ON CONFLICT (user_id, agent) DO UPDATE SET seen_at = now())
    INSERT INTO outbox (id, kind, variables, user_id, recipient)
    SELECT $3, $4, $5, u.id, u.email
    FROM users u
    WHERE u.id = $1 AND wants_mail(u, $4)
      AND EXISTS (SELECT FROM known_devices WHERE user_id = $1)
      AND NOT EXISTS (SELECT FROM known_devices WHERE user_id = $1 AND agent = $2))"};

void add_record(batch& work, const uuid& user_id, const digest& agent, const outbox::draft& mail)
{
    work.add(record_device, user_id, agent, mail.id, mail.kind, mail.variables);
}

} // namespace db::known_devices
