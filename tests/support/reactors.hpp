// What the reactor trap (tests/reactor_trap) reports about the reactors of a server.
#pragma once

#include "tests/reactor_trap/turns.hpp"
#include "tests/support/child_process.hpp"

#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>

namespace support {

/// Variables that make a server watch its reactors. Empty in sanitizer builds, where libraries cannot
/// be preloaded. @param report the path of a new file
environment watch_reactors(const std::string& report);

/// The turns of the reactors of all servers that have ended: sums and maxima.
reactor_trap::turns& observed_turns();

/// Called with the calls that could have blocked a reactor, and their stacks. Prints them unless set.
std::function<void(const std::string& calls)>& on_blocking_call();

/// Blocks of memory that a reactor has taken from the heap so far; nothing in sanitizer builds.
std::optional<std::int64_t> allocations_of(const std::string& report, std::string_view reactor);

/// Wait until a server that listens has its reactors, so that their absence at its end is a fault.
void await_reactors(const std::string& report);

/// Evaluate the report of a server that has served and ended. Reactors that were not watched are reported
/// too.
void read_reactor_report(const std::string& report);

/// The same of another program. @param expected the names of its reactors
void read_reactor_report(const std::string& report, std::span<const std::string_view> expected);

} // namespace support
