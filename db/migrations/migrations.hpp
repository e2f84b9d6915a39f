// The schema, brought up to date.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace db {

struct migration {
    std::string_view name; ///< "0001_identity": applied in the order of their names
    std::string_view sql;
};

/// The files of db/migrations, as they were when the program was built.
std::span<const migration> embedded_migrations();

struct migration_report {
    std::vector<std::string> applied; ///< by this call, in order
    bool walled = false; ///< whether PostgreSQL keeps workspaces apart too (db/postgres/row_security.hpp)
};

/** Apply what the database lacks, each migration in a transaction of its own, and raise the wall between
   workspaces if that is ours to do. Any number of programs may try at once: an advisory lock lets one work
   while the others wait and then find nothing to do.

    Blocks, on a connection of its own: for the start of the program and its `migrate` command.
    @throw failure if the database cannot be reached, if a migration fails, if an applied one has changed
           since, or if the database has one this program does not know: it was made by a newer program */
migration_report migrate(const std::string& conninfo,
                         std::span<const migration> migrations = embedded_migrations());

} // namespace db
