// Retention: deletes rows that nothing needs any more.
#pragma once

#include "db/postgres/pool.hpp"

#include <chrono>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

namespace db {

/// How long rows are kept after their end, for tables where that is configurable.
struct retention_periods {
    std::chrono::seconds sessions{30 * 86400};   ///< after logout, revocation or expiry
    std::chrono::seconds api_keys{90 * 86400};   ///< after revocation or expiry
    std::chrono::seconds audit{730 * 86400};     ///< after the event
    std::chrono::seconds devices{365 * 86400};   ///< after the last login from them
    std::chrono::seconds invites{30 * 86400};    ///< after expiry
    std::chrono::seconds failed_mail{7 * 86400}; ///< after the last attempt
};

struct retention_rule;

/** Sweeps every table in slices of some hundred KiB: a slice is one transaction that reads a range of blocks
    (a TID range scan, which needs no index) and deletes the rows in it that are past their retention. So the
    work makes progress under any backlog, holds its locks for milliseconds, and its cost for tables without
    such rows is that of reading them. A sweep ends with the table; the next begins a minute later.

    The position is kept in the database, with a deadline: one node at a time works on a table, and another
    goes on where it stopped. */
class retention {
public:
    retention(pool& db, const retention_periods& keep);

    /** Sweeps one slice of each table that is due, or that this node works on. After a statement timeout the
        slices of that table become smaller.
        @return whether there was any
        @throw failure as pool::run */
    awaitable<bool> step();

    /// Sweeps all tables to their end, as far as no other node works on them.
    awaitable<void> run_to_completion();

    /// Rows deleted since the start.
    std::uint64_t deleted() const { return deleted_; }

    /// The tables with a rule.
    static std::vector<std::string_view> tables();

private:
    struct position {
        bool is_claimed = false;
        std::int64_t next_block = 0;
        std::int64_t blocks; ///< of a slice
    };

    awaitable<void> claim();
    awaitable<void> sweep_slice(const retention_rule& rule, position& at);

    pool& db_;
    retention_periods keep_;
    std::vector<position> positions_; // as the rules
    std::uint64_t deleted_ = 0;
};

} // namespace db
