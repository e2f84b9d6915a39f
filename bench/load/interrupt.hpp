#pragma once

namespace bench {

/** From now on SIGINT and SIGTERM end the run in good order instead of the process; a second one kills it. */
void catch_interrupts();

bool interrupted();

} // namespace bench
