// Known devices: user agents that a user has signed in from before.
#pragma once

#include "db/tables/outbox.hpp"

namespace db::known_devices {

/** Records a sign-in.
    @param agent SHA-256 of the user agent without version numbers
    @param mail  queued if the user has signed in before, but never from this device */
void add_record(batch& work, const uuid& user_id, const digest& agent, const outbox::draft& mail);

} // namespace db::known_devices
