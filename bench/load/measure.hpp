// One measured run: the load, and what it cost the processes involved.
#pragma once

#include "bench/load/load.hpp"
#include "bench/load/process_meter.hpp"
#include "bench/load/progress.hpp"
#include "bench/scenarios/scenarios.hpp"

#include <optional>
#include <string>
#include <vector>

namespace bench {

/** Whose CPU time is read; either may be empty. */
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
    std::optional<double> server_cpu; ///< seconds, while measuring
    std::optional<double> database_cpu;
    double generator_cpu = 0;
    std::size_t server_memory = 0; ///< resident bytes at the end

    double throughput() const; ///< expected answers a second

    /** CPU microseconds for each answer, expected or not. Nothing where none was read. */
    std::optional<double> server_cpu_per_request() const { return per_request(server_cpu); }
    std::optional<double> per_request(std::optional<double> seconds) const;

    /** What makes these figures untrue or a reader careful; empty if nothing does. */
    std::vector<std::string> warnings() const;

    /** Why the run failed: more than 0.1 % of the requests were not answered as expected. */
    std::optional<std::string> complaint() const;
};

/** Run the load and watch it. Returns early if the user interrupts it.
    @param label stands before the progress line, for runs that have several parts */
measurement measure(const scenario& what, const load_plan& plan, const meters& watched, progress& line,
                    const std::string& label = {});

} // namespace bench
