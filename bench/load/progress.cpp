#include "bench/load/progress.hpp"

#include "bench/report/text.hpp"

#include <unistd.h>

#include <iostream>

namespace bench {

progress::progress(bool quiet) : quiet_(quiet), terminal_(isatty(STDERR_FILENO) == 1) {}

progress::~progress()
{
    clear_line();
}

void progress::clear_line()
{
    if (std::exchange(line_open_, false))
        std::cerr << "\r\033[K" << std::flush;
}

void progress::show(const std::string& phase, const recent_load& recent, double seconds,
                    std::optional<double> busy)
{
    if (quiet_)
        return;
    auto rate = seconds > 0 ? static_cast<double>(recent.latency.count()) / seconds : 0;
    auto line = "  " + phase + "   " + as_figure(rate) + "/s   p50 " +
                as_time(recent.latency.percentile(50)) + "   p99 " + as_time(recent.latency.percentile(99));
    if (busy)
        line += "   server CPU " + as_fixed(*busy * 100, 0) + " %";
    if (recent.unexpected > 0)
        line += "   unexpected " + with_commas(recent.unexpected);
    clear_line();
    std::cerr << line << (terminal_ ? "" : "\n") << std::flush;
    line_open_ = terminal_;
}

void progress::say(const std::string& sentence)
{
    if (quiet_)
        return;
    clear_line();
    std::cerr << sentence << std::endl;
}

} // namespace bench
