// Process statistics from the kernel: memory, CPU time and open file descriptors.
#pragma once

#include "handlers/metrics/registry.hpp"

#include <condition_variable>
#include <mutex>
#include <thread>

namespace server {

/// Read the statistics from /proc: some microseconds per thousand descriptors.
/// A value that cannot be read is 0.
handlers::process_state read_process_stats();

/// Publishes the statistics every five seconds, from a thread of its own: no reactor reads files.
class process_stats_sampler {
public:
    /// @param metrics outlives this
    explicit process_stats_sampler(handlers::metrics_registry& metrics);

private:
    void run(const std::stop_token& stopping, handlers::metrics_registry& metrics);

    std::mutex mutex_;
    std::condition_variable_any wake_;
    /// The last member: stopped and joined before the others end.
    std::jthread thread_;
};

} // namespace server
