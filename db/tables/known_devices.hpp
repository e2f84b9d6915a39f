// Known devices: user agents and networks that a user has signed in from before.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/tables/outbox.hpp"

#include <string>

namespace db::known_devices {

struct device {
    /// SHA-256 of the user agent without version numbers.
    digest agent{};
    /// The network of its address, such as 203.0.113.0/24.
    std::string network;
};

/// Of a user; the one that was seen least recently makes room.
inline constexpr int most_devices = 20;

/** Records a sign-in.
    @param mail queued if the user has signed in before, but never with this agent */
void add_record(batch& work, const uuid& user_id, const device& used, const outbox::draft& mail);

/** Whether the account of an address has signed in with this agent from this network.
    @throw failure */
awaitable<bool> is_known(pool& db, std::string email_normalized, device used);

} // namespace db::known_devices
