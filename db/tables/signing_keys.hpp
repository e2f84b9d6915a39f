// The keys that sign access tokens: sealed at rest, published before they sign, kept until nothing needs
// them.
#pragma once

#include "db/postgres/pool.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

namespace db::signing_keys {

struct row {
    std::string kid;
    std::string algorithm;                ///< "ES256" or "EdDSA"
    std::string public_jwk;               ///< JSON
    std::vector<std::uint8_t> sealed_key; ///< the private key under the master key
    timestamp created_at;
    timestamp signs_from;
    std::optional<timestamp> retires_at; ///< verifies until then; nothing: has no successor
};
BOOST_DESCRIBE_STRUCT(row, (), (kid, algorithm, public_jwk, sealed_key, created_at, signs_from, retires_at))

/** Every key that still verifies, of every algorithm, the newest first. The one to sign with is the first of
    its algorithm whose signs_from has passed. */
awaitable<std::vector<row>> list(pool& db);

struct draft {
    std::string kid;
    std::string algorithm;
    std::string public_jwk;
    std::vector<std::uint8_t> sealed_key;
};

/** Make sure the algorithm has a key. Several processes may start at once and each bring a draft of its own:
    one of them becomes the key, the others are dropped.
    @return every key that verifies, as list() does */
awaitable<std::vector<row>> ensure(pool& db, draft first);

/** Add a successor and let its predecessor retire.
    @param signs_from     when the successor starts to sign: late enough that verifiers have fetched it
    @param predecessor_until when the last token the predecessor can have signed has expired
    @return every key that verifies, as list() does */
awaitable<std::vector<row>> rotate(pool& db, draft next, timestamp signs_from, timestamp predecessor_until);

} // namespace db::signing_keys
