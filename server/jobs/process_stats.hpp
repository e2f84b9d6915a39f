// What the kernel knows of this process.
#pragma once

#include "handlers/metrics/registry.hpp"

namespace server {

/** Memory, processor time and open descriptors. Takes some microseconds for each thousand descriptors, so it
   is for the main thread. What cannot be read is 0. */
handlers::process_state read_process_state();

} // namespace server
