// Another program, run by a test.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace support {

/// Variables by their whole names, as {"LATCHKEY_THREADS", "4"}.
using environment = std::vector<std::pair<std::string, std::string>>;

/** A process that dies with this one, at the latest. Its standard input is a pipe that ends with this object.
 */
class child_process {
public:
    /** Returns at once. A program that cannot be run ends with 127.
        @param command its path and arguments
        @param settings variables besides this process's, of which those are left out that begin with
       LATCHKEY_
        @param kept STDOUT_FILENO or STDERR_FILENO: the stream to keep; the other is this process's */
    child_process(std::vector<std::string> command, const environment& settings, int kept);

    /// Kills it if it still runs.
    ~child_process();
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;

    pid_t id() const { return pid_; }
    bool is_running();
    void send(int signal) const;

    /// Wait until it ends. @return its exit code, or minus the signal that ended it, or nothing if it does
    /// not end
    std::optional<int> wait(std::chrono::milliseconds limit);

    /// SIGKILL, and wait.
    void kill();

    /// All that it has written to the stream that is kept.
    std::string written() const;

private:
    void start(std::vector<std::string>& command, const environment& settings, int kept);
    void close_all();

    int file_ = -1;  // in memory, so that a child never waits for its reader
    int input_ = -1; // our end of its standard input
    pid_t pid_ = -1;
    std::optional<int> ended_;
};

} // namespace support
