// A lease on cached principals: how long a process may use its cache without hearing from the database.
#pragma once

#include <atomic>
#include <chrono>
#include <ctime>

namespace db {

/** CLOCK_BOOTTIME: never jumps, and advances while the machine is suspended. Read without a system call, in
    some 25 ns. */
struct boot_clock {
    using duration = std::chrono::nanoseconds;
    using rep = duration::rep;
    using period = duration::period;
    using time_point = std::chrono::time_point<boot_clock>;
    static constexpr bool is_steady = true;

    static time_point now()
    {
        timespec at{};
        clock_gettime(CLOCK_BOOTTIME, &at);
        return time_point(std::chrono::seconds(at.tv_sec) + std::chrono::nanoseconds(at.tv_nsec));
    }
};

/** A lease as of C. Gray and D. Cheriton, "Leases: An Efficient Fault-Tolerant Mechanism for Distributed File
    Cache Consistency", SOSP 1989. While it holds, no change is reported as done to a client before this
    process has evicted the previous state. db::node grants and drops it; every core reads it at each cache
    lookup, at the cost of one atomic load and one clock read. */
class lease {
public:
    using time_point = boot_clock::time_point;

    bool holds(time_point now = boot_clock::now()) const
    {
        return now.time_since_epoch().count() < until_.load(std::memory_order_acquire);
    }

    /** Precondition: each cache entry is newer than this lease, or was stored under a lease that this one
        extends without a gap. */
    void grant(time_point until)
    {
        until_.store(until.time_since_epoch().count(), std::memory_order_release);
    }

    void drop() { until_.store(0, std::memory_order_release); }

private:
    std::atomic<boot_clock::rep> until_{0};
};

} // namespace db
