// Retention: deletes expired rows.
#pragma once

#include "db/postgres/pool.hpp"

namespace db {

/** Deletes expired tokens and codes, emails that failed permanently a week ago or belong to deleted users,
    devices not seen for a year and invites that expired a month ago. Cheap if there is nothing to delete;
    several nodes may run it at once. */
awaitable<void> purge(pool& db);

} // namespace db
