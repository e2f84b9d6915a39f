// Revocations: how many per second, and how long one takes.
#pragma once

#include "bench/scenarios/options.hpp"

namespace bench {

/** Revoke keys at a moderate rate, and then in a closed loop, in turns with one transaction each in pgbench.
    @return the exit status */
int run_revoke(const options& wanted);

} // namespace bench
