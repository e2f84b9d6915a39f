// People and keys for a run, made as fast as the database takes them.
#pragma once

#include "bench/scenarios/scenarios.hpp"

#include <cstddef>
#include <string>

namespace bench {

struct seed_plan {
    std::size_t users = 100;
    std::size_t keys = 1000;
};

/** Write people, each the owner of a workspace, and their keys straight into a migrated database: one COPY,
    while all processors make keys. The table's indexes are made anew after many keys, and nobody else can use
    it until then. Each call adds new keys, so those that must be unknown to a server's memory are. Ends with
    VACUUM ANALYZE, as any big load should.
    @throw failure if the database refuses, and then nothing is written; or if the master key is none */
seeded seed(const std::string& database_url, const std::string& master_key, const seed_plan& plan);

/** The same by calling the server: sign up, mint. For hundreds, not for millions. @throw failure if
    refused */
seeded seed_by_calls(const url& server, const seed_plan& plan);

/** Keys of the right form and checksum that no server has ever seen. */
key_set make_unknown_keys(std::size_t count);

} // namespace bench
