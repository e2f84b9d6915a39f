#include "tests/support/reactors.hpp"

#include "tests/support/eventually.hpp"

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <iterator>
#include <utility>
#include <vector>

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

namespace {

std::vector<reactor_trap::turns> read_turns(const std::string& report)
{
    std::vector<reactor_trap::turns> out;
    std::ifstream file(report + ".turns", std::ios::binary);
    reactor_trap::turns one;
    while (file.read(reinterpret_cast<char*>(&one), sizeof one) && one.name[0])
        out.push_back(one);
    return out;
}

#ifdef REACTOR_TRAP
/// The expected names that no watched reactor has.
std::string missing(const std::vector<reactor_trap::turns>& watched,
                    std::span<const std::string_view> expected)
{
    std::string out;
    for (auto name : expected)
        if (std::ranges::none_of(watched, [&](auto& one) { return name == one.name.data(); }))
            out.append("no reactor is watched that has the name ").append(name).append("\n");
    return out;
}
#endif

constexpr std::string_view of_server[] = {"core-0", "node", "mail"};

} // namespace

std::optional<std::int64_t> allocations_of(const std::string& report, std::string_view reactor)
{
    for (auto& one : read_turns(report))
        if (reactor == one.name.data())
            return one.allocations;
    return std::nullopt;
}

void await_reactors([[maybe_unused]] const std::string& report)
{
#ifdef REACTOR_TRAP
    eventually(std::chrono::seconds(10), [&] { return missing(read_turns(report), of_server).empty(); });
#endif
}

void read_reactor_report(const std::string& report)
{
    read_reactor_report(report, of_server);
}

void read_reactor_report(const std::string& report,
                         [[maybe_unused]] std::span<const std::string_view> expected)
{
    std::ifstream file(report);
    std::string calls{std::istreambuf_iterator<char>(file), {}};
    auto watched = read_turns(report);
    auto& all = observed_turns();
    [[maybe_unused]] const auto before = all.count;
    for (auto& one : watched) {
        all.count += one.count;
        all.blocked += one.blocked;
        all.longest_blocked_us = std::max(all.longest_blocked_us, one.longest_blocked_us);
        all.longest_lock_wait_us = std::max(all.longest_lock_wait_us, one.longest_lock_wait_us);
        if (one.longest_us > all.longest_us) {
            all.longest_us = one.longest_us;
            all.longest_cpu_us = one.longest_cpu_us;
        }
    }
#ifdef REACTOR_TRAP
    calls += missing(watched, expected);
    if (all.count == before)
        calls += "no turn of a reactor was observed\n";
#endif
    if (!calls.empty())
        on_blocking_call()(calls);
}

} // namespace support
