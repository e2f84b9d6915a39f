// An invalidation: the subjects (credentials, users, workspaces) with stale cache entries.
#pragma once

#include "db/postgres/async.hpp"

#include <vector>

namespace db {

/// The subjects that a committed change affects. A superfluous one costs a lookup, no more.
struct invalidation {
    std::vector<uuid> credentials;
    std::vector<uuid> users;
    std::vector<uuid> workspaces;
    std::vector<digest> digests;

    /// Evict all entries.
    bool everything = false;

    /// Affect the subjects of another one too.
    void add(const invalidation& other)
    {
        credentials.insert(credentials.end(), other.credentials.begin(), other.credentials.end());
        users.insert(users.end(), other.users.begin(), other.users.end());
        workspaces.insert(workspaces.end(), other.workspaces.begin(), other.workspaces.end());
        digests.insert(digests.end(), other.digests.begin(), other.digests.end());
        everything = everything || other.everything;
    }

    bool empty() const
    {
        return !everything && credentials.empty() && users.empty() && workspaces.empty() && digests.empty();
    }
};

} // namespace db
