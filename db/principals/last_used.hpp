// Write-behind of last-used times and of usage: recorded in memory, written in batches by a timer.
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

        /// Principals of which requests are being collected at the same time: bounds the memory.
        std::size_t max_collected = 100'000;
    };

    last_used_writer(boost::asio::io_context& io, pool& db, config settings);
    last_used_writer(boost::asio::io_context& io, pool& db) : last_used_writer(io, db, config()) {}
    ~last_used_writer();

    /// Record a use, and count a check. Most of the time one comparison and one increment.
    void record(const principal& used, timestamp now)
    {
        ++used.counts.checks;
        auto second = std::chrono::floor<std::chrono::seconds>(now).time_since_epoch().count();
        if (second - used.recorded_at >= record_interval_)
            add(used, second);
    }

    /// Count a use that is refused after it was recorded.
    void count_refusal(const principal& used, timestamp now)
    {
        ++used.counts.refusals;
        collect(used, now);
    }

    /// Count a request that is refused for the state of its credential: no use of it.
    void count_rejection(const principal& presented, timestamp now)
    {
        ++presented.counts.checks;
        count_refusal(presented, now);
    }

    /// Count a request over the rate limit of its credential: no use of it.
    void count_rate_limited(const principal& presented, timestamp now)
    {
        ++presented.counts.checks;
        ++presented.counts.rate_limited;
        collect(presented, now);
    }

    /** Write all records, as api_keys.last_used_at and sessions.last_seen_at, which never go back, and as
        usage_daily. Records that cannot be written are kept for the next time. @throw failure */
    awaitable<void> flush();

    /// Stop the timer and flush a last time. @throw failure
    awaitable<void> close();

private:
    class buffer;

    void add(const principal& used, std::int64_t second);
    void collect(const principal& counted, timestamp now);

    std::int64_t record_interval_;

    /// Shared with the timer's coroutine, which may end a little later.
    std::shared_ptr<buffer> buffer_;
};

} // namespace db
