// Process statistics from the kernel: memory, CPU time and open file descriptors.
#pragma once

#include "handlers/metrics/registry.hpp"

namespace server {

/** Read the statistics. Takes some microseconds per thousand descriptors, so it belongs on the main thread.
    A value that cannot be read is 0. */
handlers::process_state read_process_stats();

} // namespace server
