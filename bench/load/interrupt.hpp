// SIGINT and SIGTERM as an orderly end of the run.
#pragma once

namespace bench {

/// From now on the first SIGINT or SIGTERM sets interrupted(); the second one kills the process.
void catch_interrupts();

bool interrupted();

} // namespace bench
