// A program executed by a test.
#pragma once

#include "tests/support/eventually.hpp"

#include <sys/types.h>

#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace support {

/// Variables by their whole names, as {"LATCHKEY_THREADS", "4"}.
using environment = std::vector<std::pair<std::string, std::string>>;

/// A process that ends with this one, at the latest. Its standard input is a pipe that is closed with this
/// object.
class child_process {
public:
    /** Returns at once. A program that cannot be executed exits with 127.
        @param command path and arguments
        @param settings environment variables; those of this process are inherited, except for LATCHKEY_*
        @param captured STDOUT_FILENO or STDERR_FILENO: the stream to capture; the other one is inherited */
    child_process(std::vector<std::string> command, const environment& settings, int captured);

    /// Kills it if it still runs.
    ~child_process();
    child_process(const child_process&) = delete;
    child_process& operator=(const child_process&) = delete;

    pid_t id() const { return pid_; }
    bool is_running();

    /// For a message: "it runs", or how it has ended.
    std::string state();
    void send(int signal) const;

    /// Wait until it ends. @return its exit code, or minus the signal that ended it, or nothing if it does
    /// not end
    std::optional<int> wait(std::chrono::milliseconds limit = default_deadline);

    /// SIGKILL, and wait.
    void kill();

    /// All of the captured stream so far.
    std::string output() const;

private:
    void start(std::vector<std::string>& command, const environment& settings, int captured);
    void close_all();

    /// In memory, so that the child never blocks on a pipe.
    int file_ = -1;
    /// The write end of its standard input.
    int input_ = -1;
    pid_t pid_ = -1;
    std::optional<int> ended_;
};

} // namespace support
