// How long a process may believe what it remembers.
#pragma once

#include <atomic>
#include <chrono>
#include <ctime>

namespace db {

/// CLOCK_BOOTTIME: it never jumps, and goes on while the machine sleeps. Read without a system call, in some
/// 25 ns.
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

/** A lease as of Gray and Cheriton (SOSP 1989): while it holds, nobody tells a client that something has
   changed before this process has forgotten how it was. Granted and dropped by db::node; read by every core
   at each look at what it remembers, so it is one load and one look at the clock. */
class lease {
public:
    using time_point = boot_clock::time_point;

    bool holds(time_point now = boot_clock::now()) const
    {
        return now.time_since_epoch().count() < until_.load(std::memory_order_acquire);
    }

    /// All that is remembered must be newer than the lease, or have been remembered under one that it follows
    /// without a gap.
    void grant(time_point until)
    {
        until_.store(until.time_since_epoch().count(), std::memory_order_release);
    }

    void drop() { until_.store(0, std::memory_order_release); }

private:
    std::atomic<boot_clock::rep> until_{0};
};

} // namespace db
