// Write-behind of last-used times: recorded in memory, written in batches by a timer.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/principal.hpp"

#include <chrono>
#include <cstddef>
#include <memory>

namespace db {

/** The credential uses of one core. Off the request path: a request records, a timer writes. A crash loses
    the records since the last write. */
class last_used_writer {
public:
    struct config {
        /// At most one record per principal in this time: bounds the precision of the times and the rows
        /// written.
        std::chrono::seconds record_interval{60};
        std::chrono::milliseconds write_interval{5000};
        std::size_t rows_per_statement = 500;
    };

    last_used_writer(boost::asio::io_context& io, pool& db, config settings);
    last_used_writer(boost::asio::io_context& io, pool& db) : last_used_writer(io, db, config()) {}
    ~last_used_writer();

    /// Record a use. Most of the time one comparison.
    void record(const principal& used, timestamp now)
    {
        auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
        if (second - used.recorded_at >= record_interval_)
            add(used, second);
    }

    /** Write all records, as api_keys.last_used_at and sessions.last_seen_at, which never go back. Records
        that cannot be written are kept for the next time. @throw failure */
    awaitable<void> flush();

    /// Stop the timer and flush a last time. @throw failure
    awaitable<void> close();

private:
    class buffer;

    void add(const principal& used, std::int64_t second);

    std::int64_t record_interval_;

    /// Shared with the timer's coroutine, which may end a little later.
    std::shared_ptr<buffer> buffer_;
};

} // namespace db
