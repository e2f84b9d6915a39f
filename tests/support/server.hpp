// The built program, serving a test's database as it would serve anybody's.
#pragma once

#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

/// Variables by their whole names, as {"LATCHKEY_THREADS", "4"}.
using environment = std::vector<std::pair<std::string, std::string>>;

/** `latchkey serve` on a free port of 127.0.0.1. Unless told otherwise it has four cores, cheap password
    hashes, no rate limits, a random master key and the most talkative log. Dies with this process. */
class running_server {
public:
    /** Returns when the server listens. @throw runtime_error with its log if it does not
        @param settings win over what is said above */
    explicit running_server(const std::string& database_url, const environment& settings = {});

    /// Kills it if it still runs.
    ~running_server();
    running_server(const running_server&) = delete;
    running_server& operator=(const running_server&) = delete;

    std::uint16_t port() const { return port_; }
    const std::string& master_key() const { return master_key_; }
    bool is_running();

    /// Its resident set, as the kernel counts it.
    std::size_t resident_bytes() const;

    /// Send a signal, such as SIGSTOP and SIGCONT.
    void send(int signal) const;

    /// SIGTERM, and wait until it has ended. @return its exit code, or minus the signal that ended it
    int stop(std::chrono::milliseconds limit = std::chrono::seconds(20));

    /// Wait until it ends by itself. @return as stop(), or nothing if it does not
    std::optional<int> wait(std::chrono::milliseconds limit);

    /// SIGKILL: no farewell.
    void kill();

    /// All that it has written to standard error.
    std::string log() const;

    /// Wait until the log holds a text. @return whether it does
    bool logs(std::string_view text, std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

private:
    void start(const environment& settings);
    void await_listening();

    std::string master_key_;
    int log_file_ = -1;
    pid_t pid_ = -1;
    std::optional<int> ended_;
    std::uint16_t port_ = 0;
};

/// 32 random bytes as LATCHKEY_MASTER_KEY has them.
std::string random_master_key();

} // namespace support
