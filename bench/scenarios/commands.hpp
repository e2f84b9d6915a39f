// The commands of the command line: run a scenario, or compare two variants.
#pragma once

#include "bench/scenarios/options.hpp"

namespace bench {

/// Set up, run, report. @return the exit status; @throw failure if the run cannot be made
int run_command(const options& wanted);

} // namespace bench
