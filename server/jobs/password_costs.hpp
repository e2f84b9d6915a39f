// Password costs: a login to a missing account takes as long as one to most of the existing accounts.
#pragma once

#include "crypto/hash_pool.hpp"
#include "db/postgres/pool.hpp"

namespace server {

/** Gives the dummy hash of missing accounts the costs that most stored hashes have. They differ from the
    configured costs after a change of these, until the accounts have logged in again: a stored hash is
    verified at its own costs. Reads a sample of the accounts.
    @return false if the sample has no password, so that nothing was changed
    @throw db::failure as pool::run */
db::awaitable<bool> adopt_common_password_costs(db::pool& db, crypto::hash_pool& hashes);

} // namespace server
