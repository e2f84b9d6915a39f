#include "server/jobs/process_stats.hpp"

#include "server/log_queue.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <pthread.h>

namespace server {

namespace {

constexpr std::chrono::seconds sample_interval{5};

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
    std::error_code error;
    std::filesystem::directory_iterator descriptors("/proc/self/fd", error);
    if (!error)
        out.open_descriptors =
            static_cast<std::uint64_t>(std::distance(begin(descriptors), end(descriptors)));
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
        metrics.publish(read_process_stats());
        wake_.wait_for(lock, stopping, sample_interval, is_stopping);
    }
}

} // namespace server
