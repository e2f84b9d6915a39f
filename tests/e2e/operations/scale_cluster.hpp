// Two databases of one cluster, a small and a large one.
#pragma once

#include "tests/e2e/operations/scale_data.hpp"
#include "tests/support/temporary_folder.hpp"

#include <cstdint>
#include <deque>
#include <memory>
#include <string>

namespace e2e {

/// LATCHKEY_SCALE is the number of people in the large database: 100000 for the whole experiment.
bool is_scale_drill();

/// LATCHKEY_SCALE_ROUNDS: requests of each kind to each server.
int scale_rounds();

/** The drill has a cluster with the settings of scripts/postgres, with fsync, in LATCHKEY_SCALE_FOLDER, where
    it stays and is used again, or in a temporary folder. Otherwise it is a throwaway cluster. */
class scale_databases {
public:
    /// Filled with the first use.
    static scale_databases& shared();

    ~scale_databases();
    scale_databases(const scale_databases&) = delete;
    scale_databases& operator=(const scale_databases&) = delete;

    std::string conninfo(const std::string& database) const;

    /// The people who own a workspace alone.
    std::deque<std::int64_t> owners(const std::string& database) const;

    /// Numbers for so many more such people, in both databases.
    people next_owners(int count);

private:
    scale_databases();
    void create(const std::string& database, std::int64_t people);
    std::string postgres(const std::string& command) const;

    std::unique_ptr<support::temporary_folder> temporary_;
    std::string folder_, url_;
    std::int64_t next_ = 0;
};

} // namespace e2e
