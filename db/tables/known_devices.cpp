#include "db/tables/known_devices.hpp"

namespace db::devices {

// All parts of a statement see the table as it was before it.
static const statement note_device{"devices_note", R"(
    WITH noted AS (
        INSERT INTO known_devices (user_id, agent) VALUES ($1, $2)
        ON CONFLICT (user_id, agent) DO UPDATE SET seen_at = now())
    INSERT INTO outbox (id, kind, facts, user_id, recipient, name)
    SELECT $3, $4, $5, u.id, u.email, CASE WHEN u.email_verified_at IS NOT NULL THEN u.name END
    FROM users u
    WHERE u.id = $1 AND wants_mail(u, $4)
      AND EXISTS (SELECT FROM known_devices WHERE user_id = $1)
      AND NOT EXISTS (SELECT FROM known_devices WHERE user_id = $1 AND agent = $2))"};

void add_note(batch& work, const uuid& user_id, const digest& agent, const outbox::draft& letter)
{
    work.add(note_device, user_id, agent, letter.id, letter.what, letter.facts);
}

} // namespace db::devices
