// Signing keys of JWTs: loaded from the database, refreshed while serving, rotated by a command.
#pragma once

#include "crypto/jwt.hpp"
#include "crypto/seal.hpp"
#include "db/postgres/pool.hpp"
#include "server/config.hpp"

#include <memory>
#include <string>

namespace server {

/** Load every key that still verifies, the signing key first. Creates one if the algorithm has none yet.
    @throw db::failure; std::runtime_error if a key cannot be opened, as with a different master key */
db::awaitable<std::shared_ptr<const crypto::jwt_keys>> load_keys(db::pool& db, const crypto::sealer& sealer,
                                                                 crypto::jwt_algorithm algorithm);

/** Publish a new key. It begins to sign once every verifier has had time to fetch it; its predecessor
    verifies until the last token that it may have signed has expired.
    @return id of the new key */
db::awaitable<std::string> rotate_keys(db::pool& db, const crypto::sealer& sealer, const config& settings);

} // namespace server
