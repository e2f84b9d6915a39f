// The share of a processor that a thread asks for at a time.
#pragma once

namespace server {

/** Ask for time slices of 0.1 ms for the calling thread: it then preempts threads that compute as soon as it
   wakes up, rather than at the end of their slice of some milliseconds (Linux 6.12, sched_setattr(2); no
   effect before). Its share of the processor stays the same. */
void request_short_slices();

} // namespace server
