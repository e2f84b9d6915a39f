// Certificate files: read at start, and again on SIGHUP and when they change.
#pragma once

#include "crypto/hash.hpp"
#include "server/config.hpp"
#include "server/tls/context.hpp"

#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>

namespace server {

/// The server's certificate in its files. For one thread at a time.
class certificate_files {
public:
    /// Read the files, and log a warning if the certificate has expired.
    /// @throw tls_error if a file cannot be read or used; the message names the setting
    certificate_files(const tls_settings& files, std::shared_ptr<const ticket_keys> tickets);

    std::shared_ptr<const tls_context> current() const { return current_; }

    /** Read the files again. A certificate that cannot be used, or has expired while the current one has not,
       is logged and changes nothing; one that fails again in the same way is not logged again.
        @param always_logs also what is not new
        @return whether current() has changed */
    bool reload(bool always_logs);

private:
    std::shared_ptr<const tls_context> make_next(const tls_material& material) const;

    tls_settings files_;
    std::shared_ptr<const ticket_keys> tickets_;
    std::shared_ptr<const tls_context> current_;
    /// Of the material of current_, and of the last that could not be used.
    crypto::digest used_{}, refused_{};
    /// The last one logged, unless there has been a success since.
    std::string error_;
};

/** Watches the files from a thread of its own, which reads them every two seconds: no reactor reads files,
   and unlike notifications this sees every kind of replacement (symbolic links of mounted secrets, network
   file systems). */
class certificate_watcher {
public:
    using receiver = std::function<void(std::shared_ptr<const tls_context>)>;

    /// @param changed called on the thread of the watcher with each new certificate
    certificate_watcher(certificate_files files, receiver changed);

    /// Read the files now. Never waits.
    void reload();

private:
    void run(const std::stop_token& stopping);

    certificate_files files_;
    receiver changed_;
    std::mutex mutex_;
    std::condition_variable_any wake_;
    bool is_requested_ = false;
    /// The last member: stopped and joined before the others end.
    std::jthread thread_;
};

} // namespace server
