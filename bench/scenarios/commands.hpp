// What the commands of the command line do.
#pragma once

#include "bench/scenarios/options.hpp"

namespace bench {

/** Prepare, run, report. @return the exit status; @throw failure if the run cannot be made */
int run_command(const options& wanted);

} // namespace bench
