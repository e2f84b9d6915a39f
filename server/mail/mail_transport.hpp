// Mail transports: SMTP to a mail server, or files in a folder.
#pragma once

#include "server/mail/mime.hpp"
#include "server/mail_settings.hpp"

#include <functional>
#include <memory>
#include <string>

namespace server {

/// Outcome of a delivery attempt.
struct delivery {
    enum class status_code {
        sent,
        /// Retry later.
        deferred,
        /// The mail server rejected this message or its recipient permanently.
        failed,
    };
    using enum status_code;

    status_code status = deferred;
    /// The attempt failed for a reason that concerns every message: nothing else can be sent now either.
    bool server_unavailable = false;
    /// Reason if not sent. Contains no secret.
    std::string cause;
};

/// Delivers messages, one at a time. Blocks; for one thread.
class mail_transport {
public:
    virtual ~mail_transport() = default;
    virtual delivery send(const mail_message& message) = 0;
};

/** SMTP (RFC 5321) by libcurl. STARTTLS is required unless the server is on this host; certificates and host
    names are verified. The connection is kept for the next message. An attempt takes 30 s at most.
    @param is_stopping polled once a second; true aborts the attempt
    @throw std::runtime_error if libcurl cannot be initialized */
std::unique_ptr<mail_transport> make_smtp_transport(const smtp_settings& server,
                                                    std::function<bool()> is_stopping);

/** One file per message in `folder`, which is created if missing. Files appear atomically, and only the
    server's user can read them. */
std::unique_ptr<mail_transport> make_file_transport(const std::string& folder);

} // namespace server
