// Row locks: which rows a request waits for, and which it holds at that moment.
#pragma once

#include "tests/e2e/isolation/authorization_fixture.hpp"
#include "tests/support/postgres.hpp"

#include <string>
#include <utility>
#include <vector>

namespace e2e::authorization_matrix {

/// A row in the lock order: rows of a lower rank are locked first, those of one table in the order of the
/// ids.
struct locked_row {
    int rank = 0;
    std::string table, id;

    auto operator<=>(const locked_row&) const = default;
};

/// A server with transactions that can be made to end in a rollback, after all of their locks.
struct lock_fixture : matrix_fixture {
    lock_fixture();

    /// Every transaction of the server fails at its commit from now on, or commits again.
    void roll_everything_back(bool wanted);

    /// All rows with a place in the lock order.
    std::vector<locked_row> all_rows() { return rows("all_rows"); }

    /// Those that a transaction has locked, in any strength.
    std::vector<locked_row> locked_rows();

    /// Lock a row until release_row().
    void lock_row(const locked_row& row);
    void release_row() { blocker.run("ROLLBACK"); }

    /// Whether a transaction of the server waits for a row.
    bool is_waiting();

    /// Objects of the participants in other tables and workspaces, for foreign keys and triggers.
    void entangle(const participants& them);

    /// Deadlocks in this database so far, once the server has stopped.
    std::string count_deadlocks();

    support::sql_connection blocker{db.conninfo()};

private:
    std::vector<locked_row> rows(const std::string& prepared);
};

} // namespace e2e::authorization_matrix
