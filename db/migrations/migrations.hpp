// Schema migrations, embedded in the program and applied at its start.
#pragma once

#include "db/migrations/text_normalizers.hpp"

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace db {

struct migration {
    /// Such as "0001_identity"; migrations are applied in the order of their names.
    std::string_view name;
    std::string_view sql;
};

/// The files of db/migrations at build time.
std::span<const migration> embedded_migrations();

struct migration_report {
    /// The migrations applied by this call, in order.
    std::vector<std::string> applied;

    /// Resolved by this call; see the README of this folder.
    std::vector<address_collision> address_collisions;

    /// Whether row-level security is in effect (db/postgres/row_security.hpp).
    bool row_security = false;
};

/** Applies the migrations that the database lacks, each in a transaction of its own, and enables row-level
    security if the role has the privileges. Any number of processes may call it at once: an advisory lock
    serializes them, and all but the first find nothing to do.

    Blocks, on a connection of its own: for the start of the program and its `migrate` command.
    @param normalizers may be missing only for a database without data
    @throw failure if the database cannot be reached, if a migration fails, if an applied one has changed
           since, or if the database has one unknown to this program: a newer program created it */
migration_report migrate(const std::string& conninfo,
                         std::span<const migration> migrations = embedded_migrations(),
                         const text_normalizers& normalizers = {});

} // namespace db
