#include "server/jobs/process_stats.hpp"

#include "server/log_queue.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace server {

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

} // namespace server
