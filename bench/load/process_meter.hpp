// CPU time and memory of other processes.
#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace bench {

/** The processes that listen on a TCP port of this machine, all workers of a forking server included. Only
    root sees those of other users. */
std::vector<pid_t> listeners_on(std::uint16_t port);

/// The usage of several processes, added up. All threads count, including finished ones.
class process_meter {
public:
    process_meter() = default;
    explicit process_meter(std::vector<pid_t> processes) : processes_(std::move(processes)) {}

    /// A process and, at each reading, its children at that time (PostgreSQL's backends).
    static process_meter with_children(pid_t parent);

    bool empty() const { return processes_.empty(); }
    const std::vector<pid_t>& processes() const { return processes_; }

    /// CPU time since the processes started, user and system, in nanosecond resolution.
    double cpu_seconds() const;
    std::size_t resident_bytes() const;

private:
    std::vector<pid_t> all() const;

    std::vector<pid_t> processes_;
    bool and_children_ = false;
};

/// CPU time of this process.
double own_cpu_seconds();

/// The processors of a list such as "0,2-3", ascending, each once. @throw failure if it is malformed
std::vector<int> parse_cpus(const std::string& list);

/// The list of these processors: "0,2,3".
std::string cpu_list(const std::vector<int>& cpus);

/// The processors that the calling thread may use.
std::vector<int> allowed_cpus();

/** Pin the calling thread, and the threads and processes that it starts later, to these processors ("0,2-3").
    @throw failure if the list is malformed or none of them exists */
void pin_to_cpus(const std::string& list);

} // namespace bench
