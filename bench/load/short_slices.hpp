// The share of a processor that a thread of the generator asks for at a time.
#pragma once

namespace bench {

/** Ask for time slices of 0.1 ms for the calling thread, as the server's cores do: it then preempts threads
    that compute as soon as it wakes up, so that it sends on time (Linux 6.12, sched_setattr(2); no effect
    before). Its share of the processor stays the same. */
void request_short_slices();

} // namespace bench
