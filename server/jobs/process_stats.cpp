#include "server/jobs/process_stats.hpp"

#include "server/log.hpp"
#include "server/log_queue.hpp"

#include <sys/resource.h>
#include <system_error>
#include <unistd.h>

#include <chrono>
#include <exception>
#include <filesystem>
#include <fstream>
#include <pthread.h>

namespace server {

namespace {

constexpr std::chrono::seconds sample_interval{5};

/// 0 if they cannot be counted.
std::uint64_t count_descriptors()
{
    namespace fs = std::filesystem;
    std::error_code error;
    std::uint64_t count = 0;
    fs::directory_iterator each("/proc/self/fd", error);
    for (; !error && each != fs::directory_iterator(); each.increment(error))
        ++count;
    return error ? 0 : count;
}

} // namespace

handlers::process_state read_process_stats()
{
    handlers::process_state out;
    std::ifstream statm("/proc/self/statm");
    std::uint64_t total = 0, resident = 0;
    if (statm >> total >> resident)
        out.resident_bytes = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    rusage usage{};
    if (getrusage(RUSAGE_SELF, &usage) == 0) {
        auto seconds = [](const timeval& time) {
            return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
        };
        out.cpu_seconds = seconds(usage.ru_utime) + seconds(usage.ru_stime);
    }
    out.open_descriptors = count_descriptors();
    out.dropped_log_lines = dropped_log_lines();
    return out;
}

process_stats_sampler::process_stats_sampler(handlers::metrics_registry& metrics)
    : thread_([this, &metrics](const std::stop_token& stopping) { run(stopping, metrics); })
{}

void process_stats_sampler::run(const std::stop_token& stopping, handlers::metrics_registry& metrics)
{
    pthread_setname_np(pthread_self(), "stats");
    auto is_stopping = [&] { return stopping.stop_requested(); };
    std::unique_lock lock(mutex_);
    while (!is_stopping()) {
        try {
            metrics.publish(read_process_stats());
        } catch (const std::exception& e) { // such as a lack of memory: the next sample may succeed
            log_line(log_level::warning, "process statistics not sampled").add("cause", e.what());
        }
        wake_.wait_for(lock, stopping, sample_interval, is_stopping);
    }
}

} // namespace server
