// From where a person has signed in before.
#pragma once

#include "db/tables/outbox.hpp"

namespace db::devices {

/** Note a sign-in.
    @param agent  SHA-256 of what tells the device
    @param letter sent to the person if they have signed in before, and never from this device */
void add_note(batch& work, const uuid& user_id, const digest& agent, const outbox::draft& letter);

} // namespace db::devices
