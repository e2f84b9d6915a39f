#include "tests/support/reactors.hpp"

#include <algorithm>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>

namespace support {

environment watch_reactors([[maybe_unused]] const std::string& report)
{
#ifdef REACTOR_TRAP
    return {{"LD_PRELOAD", REACTOR_TRAP}, {"REACTOR_TRAP_REPORT", report}};
#else
    return {};
#endif
}

reactor_trap::turns& observed_turns()
{
    static reactor_trap::turns all{};
    return all;
}

std::function<void(const std::string&)>& on_blocking_call()
{
    static std::function<void(const std::string&)> call = [](const std::string& calls) {
        std::cerr << calls;
    };
    return call;
}

void read_reactor_report(const std::string& report)
{
    std::ifstream file(report);
    std::string calls{std::istreambuf_iterator<char>(file), {}};
    std::ifstream measurements(report + ".turns", std::ios::binary);
    reactor_trap::turns one;
    auto& all = observed_turns();
    while (measurements.read(reinterpret_cast<char*>(&one), sizeof one) && one.name[0]) {
        all.count += one.count;
        all.blocked += one.blocked;
        all.longest_blocked_us = std::max(all.longest_blocked_us, one.longest_blocked_us);
        all.longest_lock_wait_us = std::max(all.longest_lock_wait_us, one.longest_lock_wait_us);
        if (one.longest_us > all.longest_us) {
            all.longest_us = one.longest_us;
            all.longest_cpu_us = one.longest_cpu_us;
        }
    }
    if (!calls.empty())
        on_blocking_call()(calls);
}

} // namespace support
