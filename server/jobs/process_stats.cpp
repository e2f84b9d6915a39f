#include "server/jobs/process_stats.hpp"

#include <sys/resource.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <iterator>

namespace server {

handlers::process_state read_process_state()
{
    handlers::process_state out;
    std::ifstream pages("/proc/self/statm");
    std::uint64_t total = 0, resident = 0;
    if (pages >> total >> resident)
        out.resident_bytes = resident * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
    rusage used{};
    if (getrusage(RUSAGE_SELF, &used) == 0) {
        auto seconds = [](const timeval& time) {
            return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
        };
        out.cpu_seconds = seconds(used.ru_utime) + seconds(used.ru_stime);
    }
    std::error_code unreadable;
    std::filesystem::directory_iterator each("/proc/self/fd", unreadable);
    if (!unreadable)
        out.open_descriptors = static_cast<std::uint64_t>(std::distance(begin(each), end(each)));
    return out;
}

} // namespace server
