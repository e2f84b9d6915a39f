// A recorded run: nodes under load with revocations and faults, and the verdict about its history.
#pragma once

#include "tests/consistency/nodes.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <vector>

namespace consistency {

/// A kind of fault.
struct fault {
    std::string kind;

    /// How often it is chosen, relative to the others.
    double weight = 1;

    /// Inject it, and return once it is over. @return what was done, for the report
    std::function<std::string(nodes&, std::mt19937_64&)> inject;
};

/// Nodes suspended, killed, without notices or connections; PostgreSQL restarted or paused.
std::vector<fault> node_faults();

/// The standby takes over.
std::vector<fault> failovers();

struct run_plan {
    /// At first each of these once, in order; then random ones of both lists, by weight.
    std::vector<fault> first, later;

    /// The least length; 0: until the first faults are over.
    std::chrono::seconds length{20};

    /// Checks per second; 0: as many as the nodes answer.
    std::size_t rate = 6000;
};

/** Run, print a report, and fail the test case for a success that began after its revocation had returned, a
    rejection without a reason, or a node that does not recover.

    LATCHKEY_HISTORY_SECONDS makes it longer, LATCHKEY_HISTORY_CHECKS goes on until there are so many checks,
    LATCHKEY_HISTORY_RATE replaces the rate, and LATCHKEY_HISTORY_SEED repeats the choices (not the timing) of
    another run. */
void run_history(run_plan plan);

} // namespace consistency
