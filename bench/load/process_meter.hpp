// What a process uses, seen from outside.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/** The processes that listen on a TCP port of this machine: all workers of a server that forks. Those of
    other users are found by root alone. */
std::vector<pid_t> listeners_on(std::uint16_t port);

/** Adds up what several processes use. All threads count, also those that have ended. */
class process_meter {
public:
    process_meter() = default;
    explicit process_meter(std::vector<pid_t> processes) : processes_(std::move(processes)) {}

    /** A process and, at each reading, whichever children it has then (PostgreSQL's backends). */
    static process_meter with_children(pid_t parent);

    bool empty() const { return processes_.empty(); }
    const std::vector<pid_t>& processes() const { return processes_; }

    /** CPU time since the processes started, user and system, to the nanosecond. */
    double cpu_seconds() const;
    std::size_t resident_bytes() const;

private:
    std::vector<pid_t> all() const;

    std::vector<pid_t> processes_;
    bool and_children_ = false;
};

/** CPU time of this process. */
double own_cpu_seconds();

/** Keep the calling thread, and the threads and processes it starts from now on, on these processors
    ("0,2-3").
    @throw failure if the list is wrong or names none that exists */
void pin_to_cpus(const std::string& list);

} // namespace bench
