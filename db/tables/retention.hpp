// What has outlived its use.
#pragma once

#include "db/postgres/pool.hpp"

namespace db {

/** Remove expired tokens and codes, letters given up a week ago, and devices not seen for a year. Cheap where
   there is nothing to remove; several nodes may do it at once. */
awaitable<void> purge(pool& db);

} // namespace db
