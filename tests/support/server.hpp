// The built server as a child process.
#pragma once

#include "tests/support/child_process.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/temporary_folder.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace support {

/** `latchkey serve` on a free port of 127.0.0.1. By default it has two cores, cheap password hashes, no rate
    limits, a random master key, a data folder of its own and log level debug. Ends with this process. */
class running_server {
public:
    /** Returns when the server listens. @throw runtime_error with its log if it does not
        @param settings override these defaults */
    explicit running_server(const std::string& database_url, const environment& settings = {});

    /// Reports the blocking calls of its reactors (tests/support/reactors.hpp).
    ~running_server();

    std::uint16_t port() const { return port_; }
    /// Of the listener for operators, which LATCHKEY_ADMIN_LISTEN must have requested.
    std::uint16_t admin_port() const;
    const std::string& master_key() const { return master_key_; }

    /// Where it delivers emails as files, unless it has another data folder or a mail server.
    std::string mail_folder() const { return data_.path() + "/mail"; }

    bool is_running() { return process_.is_running(); }

    /// The resident set size.
    std::size_t resident_bytes() const;

    /// Blocks of memory that its first core has taken from the heap so far; nothing in sanitizer builds.
    std::optional<std::int64_t> allocations() const;

    /// Send a signal, such as SIGSTOP and SIGCONT.
    void send(int signal) const { process_.send(signal); }

    /// SIGTERM, and wait until it has ended. @return its exit code, or minus the signal that ended it
    int stop(std::chrono::milliseconds limit = default_deadline);

    /// Wait until it ends by itself. @return as stop(), or nothing if it does not
    std::optional<int> wait(std::chrono::milliseconds limit = default_deadline)
    {
        return process_.wait(limit);
    }

    /// SIGKILL.
    void kill() { process_.kill(); }

    /// All of its standard error so far.
    std::string log() const { return process_.output(); }

    /// The lines of the log that contain a text.
    std::string log_lines(std::string_view text) const;

    /// Wait until the log contains a text. @return whether it does
    bool logs(std::string_view text, std::chrono::milliseconds limit = default_deadline) const;

private:
    explicit running_server(const environment& settings);
    void await_listening();

    temporary_folder data_;
    std::string master_key_;
    child_process process_;
    std::uint16_t port_ = 0;
};

/// The path of the built server.
std::string program_path();

/// 32 random bytes in the encoding of LATCHKEY_MASTER_KEY.
std::string random_master_key();

} // namespace support
