// A measured run: the load, and the CPU and memory that the processes used.
#pragma once

#include "bench/load/load.hpp"
#include "bench/load/process_meter.hpp"
#include "bench/load/progress.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bench {

/// The processes to measure; either may be empty.
struct meters {
    process_meter server, database;
};

struct measurement {
    std::string title;
    std::vector<kind> kinds;
    load_plan plan;
    load_result result;
    outcome total;

    std::vector<pid_t> server_processes;
    /// CPU seconds within the measured window.
    std::optional<double> server_cpu;
    std::optional<double> database_cpu;
    double generator_cpu = 0;
    /// Resident bytes at the end.
    std::size_t server_memory = 0;

    /// Expected responses per second.
    double throughput() const;

    /// CPU microseconds per response, expected or not. Nothing if it was not measured.
    std::optional<double> server_cpu_per_request() const { return per_request(server_cpu); }
    std::optional<double> per_request(std::optional<double> seconds) const;

    /// Reasons to distrust the figures.
    std::vector<std::string> warnings() const;

    /// Why the run failed: more than 0.1 % of the responses were not the expected ones.
    std::optional<std::string> failure_reason() const;
};

/** Run the load and read the meters. Returns early if the user interrupts it.
    @param label prefix of the progress line, for runs with several parts */
measurement measure(const scenario& scenario, const load_plan& plan, const meters& watched, progress& line,
                    const std::string& label = {});

} // namespace bench
