// Seeding: users and keys for a run, written as fast as the database accepts them.
#pragma once

#include "bench/scenarios/scenarios.hpp"

#include <cstddef>
#include <string>

namespace bench {

/// Completes keys that were written without triggers: what checks read (migration 0020).
inline constexpr const char* copy_key_principals =
    "INSERT INTO api_key_principals SELECT * FROM api_key_principal_source s "
    "WHERE NOT EXISTS (SELECT FROM api_key_principals p WHERE p.id = s.id)";

struct seed_plan {
    std::size_t users = 100;
    std::size_t keys = 1000;
};

/** Write users, each the owner of a workspace, and their keys straight into a migrated database: one COPY,
    fed by one thread per processor that generates keys. For many keys, the table's indexes are dropped and
    rebuilt in the same transaction, which locks the table meanwhile. Every call adds new keys, none of which
    the server can have cached. Ends with VACUUM ANALYZE, as any bulk load should.
    @throw failure if the database rejects the rows (nothing is written then) or the master key is invalid */
seeded seed(const std::string& database_url, const std::string& master_key, const seed_plan& plan);

/// The same through the API: sign up, mint. For hundreds, not for millions. @throw failure if a call fails
seeded seed_by_calls(const url& server, const seed_plan& plan);

/// Well-formed keys that no server knows.
key_set make_unknown_keys(std::size_t count);

} // namespace bench
