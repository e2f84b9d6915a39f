// Signing keys of access tokens: encrypted at rest, published before use, kept while tokens refer to them.
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

    /// "ES256" or "EdDSA".
    std::string algorithm;

    /// JSON.
    std::string public_jwk;

    /// The private key, encrypted with the master key.
    std::vector<std::uint8_t> sealed_key;
    timestamp created_at;
    timestamp signs_from;

    /// Verifies until then; nothing: the key has no successor.
    std::optional<timestamp> retires_at;
};
BOOST_DESCRIBE_STRUCT(row, (), (kid, algorithm, public_jwk, sealed_key, created_at, signs_from, retires_at))

/** Every key that still verifies, of every algorithm, newest first. The one to sign with is the first of its
    algorithm with a signs_from in the past. */
awaitable<std::vector<row>> list(pool& db);

struct draft {
    std::string kid;
    std::string algorithm;
    std::string public_jwk;
    std::vector<std::uint8_t> sealed_key;
};

/** Ensures that the algorithm has a key. If several processes start at once with a draft each, one draft
    becomes the key and the others are discarded.
    @return every key that verifies, as list() does */
awaitable<std::vector<row>> ensure(pool& db, draft first);

/** Adds a successor and retires its predecessor.
    @param signs_from        start of signing with the successor: late enough that verifiers have fetched it
    @param predecessor_until expiry of the last token that the predecessor can have signed
    @return every key that verifies, as list() does */
awaitable<std::vector<row>> rotate(pool& db, draft next, timestamp signs_from, timestamp predecessor_until);

} // namespace db::signing_keys
