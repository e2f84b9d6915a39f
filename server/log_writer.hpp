// Log writer: the one thread that writes the log to standard error, so that no other waits for its reader.
#pragma once

#include <future>
#include <thread>

namespace server {

/** While it exists, lines wait in a ring of the thread that logs them (log_ring, 256 KiB) until this thread
    writes them. If standard error is stalled, as a pipe without a reader, the rings fill up, and further
    lines are dropped and counted; a line tells their number once writing works again. At most one per
    process. */
class log_writer {
public:
    log_writer();

    /// Writes what is left, but gives up after log_flush_limit: then the lines and the thread are abandoned.
    ~log_writer();
    log_writer(const log_writer&) = delete;
    log_writer& operator=(const log_writer&) = delete;

private:
    /// Ready once the thread has written everything.
    std::future<void> done_;
    std::thread thread_;
};

/** Write the log to its end before the process ends through std::terminate or a fatal signal. The exception
    is logged. */
void flush_log_on_crash();

} // namespace server
