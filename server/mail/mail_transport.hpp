// The two ways that letters leave: through a mail server, or into a folder.
#pragma once

#include "server/mail/mime.hpp"

#include <functional>
#include <memory>
#include <string>

namespace server {

/** A mail server, and how to reach it. */
struct smtp_settings {
    std::string url; ///< smtp://host:port or smtps://host:port, without user and password
    std::string user, password;
    bool is_local = false; ///< on this machine: it may do without TLS
};

/** How sending went. */
struct delivery {
    enum class outcome {
        sent,
        later, ///< not now
        never, ///< the mail server will not have this letter, now or later
    } what = outcome::later;
    bool is_cut_off = false; ///< later, and so will be every other letter
    std::string cause;       ///< why not sent; no secret
};

/** A way for one thread to send letters, one at a time. Blocks. */
class mail_transport {
public:
    virtual ~mail_transport() = default;
    virtual delivery send(const mail& letter) = 0;
};

/** SMTP (RFC 5321) by libcurl. STARTTLS is required unless the server is on this machine; certificates and
   host names are verified. The connection is kept for the next letter. Gives up on a silent server after 30
   s.
    @param is_stopping asked about once a second: true makes it give up at once */
std::unique_ptr<mail_transport> send_by_smtp(const smtp_settings& server, std::function<bool()> is_stopping);

/** Each letter a file of its own in `folder`, which is made if missing: whole or not at all, and for this
   user alone to read. */
std::unique_ptr<mail_transport> send_to_folder(const std::string& folder);

} // namespace server
