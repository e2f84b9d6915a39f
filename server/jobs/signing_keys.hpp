// The keys that sign JWTs: opened from the database, renewed while serving, rotated by command.
#pragma once

#include "crypto/jwt.hpp"
#include "crypto/seal.hpp"
#include "db/postgres/pool.hpp"
#include "server/config.hpp"

#include <memory>
#include <string>

namespace server {

/** All keys that still verify, the current one first; made if the algorithm has none yet.
    @throw db::failure; std::runtime_error if a key does not open, as under another master key */
db::awaitable<std::shared_ptr<const crypto::jwt_keys>> load_keys(db::pool& db, const crypto::sealer& sealer,
                                                                 crypto::jwt_algorithm algorithm);

/** Publish a new key. It signs once every verifier has had the time to fetch it; the one before it verifies
    until the last token it may have signed has expired.
    @return the new key's id */
db::awaitable<std::string> rotate_keys(db::pool& db, const crypto::sealer& sealer, const config& settings);

} // namespace server
