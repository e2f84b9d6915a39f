// The built program, serving a test's database as it would serve anybody's.
#pragma once

#include "tests/support/child_process.hpp"
#include "tests/support/temporary_folder.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace support {

/** `latchkey serve` on a free port of 127.0.0.1. Unless told otherwise it has four cores, cheap password
    hashes, no rate limits, a random master key, a data folder of its own and the most talkative log. Dies
   with this process. */
class running_server {
public:
    /** Returns when the server listens. @throw runtime_error with its log if it does not
        @param settings win over what is said above */
    explicit running_server(const std::string& database_url, const environment& settings = {});

    std::uint16_t port() const { return port_; }
    const std::string& master_key() const { return master_key_; }

    /// Where its letters are put down, unless it has another data folder or a mail server.
    std::string mail_folder() const { return data_.path() + "/mail"; }

    bool is_running() { return process_.is_running(); }

    /// Its resident set, as the kernel counts it.
    std::size_t resident_bytes() const;

    /// Send a signal, such as SIGSTOP and SIGCONT.
    void send(int signal) const { process_.send(signal); }

    /// SIGTERM, and wait until it has ended. @return its exit code, or minus the signal that ended it
    int stop(std::chrono::milliseconds limit = std::chrono::seconds(20));

    /// Wait until it ends by itself. @return as stop(), or nothing if it does not
    std::optional<int> wait(std::chrono::milliseconds limit) { return process_.wait(limit); }

    /// SIGKILL: no farewell.
    void kill() { process_.kill(); }

    /// All that it has written to standard error.
    std::string log() const { return process_.written(); }

    /// Wait until the log holds a text. @return whether it does
    bool logs(std::string_view text, std::chrono::milliseconds limit = std::chrono::seconds(10)) const;

private:
    explicit running_server(const environment& settings);
    void await_listening();

    temporary_folder data_;
    std::string master_key_;
    child_process process_;
    std::uint16_t port_ = 0;
};

/// Where the built program is.
std::string program_path();

/// 32 random bytes as LATCHKEY_MASTER_KEY has them.
std::string random_master_key();

} // namespace support
