// Log queue: the rings in which log lines wait for the log writer.
#pragma once

#include "server/log_ring.hpp"

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace server {

/// How long the end of the process may wait for the reader of standard error.
inline constexpr std::chrono::milliseconds log_flush_limit{1000};

/** Log a complete line. Takes no lock and does not wait while a log_writer exists. Without one, as in
    commands and before the server starts, the line is written at once, or given up after log_flush_limit. */
void write_log(std::string_view line);

/// Wait until every ring is empty. Safe in a signal handler. @return false if the limit passed
bool flush_log(std::chrono::milliseconds limit);

/// Lines dropped since the start, because a ring was full or nothing reads standard error.
std::uint64_t dropped_log_lines();

/** Write to standard error, outside of the log. Gives up what its reader does not take within the limit.
    @return the number of bytes written */
std::size_t write_to_stderr(std::string_view text, std::chrono::milliseconds limit);

// ---- for the log writer

enum class log_mode : std::uint8_t {
    /// Each line is written by the thread that logs it.
    direct,
    queued,
    /// The writer was abandoned.
    closed
};

/// The ring of one thread, or of none at present. Never freed.
struct log_slot {
    log_ring ring{std::size_t{256} << 10};
    std::atomic<bool> in_use{true};
    log_slot* next = nullptr;
};

/// Never destroyed: an abandoned writer, and threads that log while the process exits, may still use it.
struct log_queue {
    std::atomic<log_mode> mode{log_mode::direct};
    std::atomic<log_slot*> slots{nullptr};

    /// Counter of wake-ups, and whether the writer needs one.
    int wake_up;
    std::atomic<bool> asleep{false};
    std::atomic<bool> stopping{false};

    /// Lines dropped elsewhere than by a ring.
    std::atomic<std::uint64_t> lost{0};

    /// Of this process.
    static log_queue& instance();

    void wake_writer() const;
    bool has_lines() const;

private:
    log_queue();
};

enum class write_result : std::uint8_t { written, stalled, gone };

/** Write some of a text, at most PIPE_BUF bytes of it: a pipe that poll() reports writable takes that many
    without blocking. O_NONBLOCK is no alternative, since the open file is shared with other processes.
    @param written number of bytes */
write_result write_some(std::string_view text, std::chrono::milliseconds limit, std::size_t& written);

/// This thread is the writer: flush_log() does not wait for it.
void become_log_writer();

} // namespace server
