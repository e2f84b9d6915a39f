// Revocations: how many per second, and how long one takes.
#pragma once

#include "bench/scenarios/options.hpp"

namespace bench {

/** Revoke keys in a closed loop, in turns with one transaction each in pgbench, and then at a moderate rate.
    @return the exit status */
int run_revoke(const options& wanted);

} // namespace bench
