// What the reactor trap (tests/reactor_trap) reports about the reactors of a server.
#pragma once

#include "tests/reactor_trap/turns.hpp"
#include "tests/support/child_process.hpp"

#include <functional>
#include <string>

namespace support {

/// Variables that make a server watch its reactors. Empty in sanitizer builds, where libraries cannot
/// be preloaded. @param report the path of a new file
environment watch_reactors(const std::string& report);

/// The turns of the reactors of all servers that have ended: sums and maxima.
reactor_trap::turns& observed_turns();

/// Called with the calls that could have blocked a reactor, and their stacks. Prints them unless set.
std::function<void(const std::string& calls)>& on_blocking_call();

/// Evaluate the report of a server that has ended.
void read_reactor_report(const std::string& report);

} // namespace support
