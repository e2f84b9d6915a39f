// Mail settings: the sender's mailbox and the mail server, as configured.
#pragma once

#include <string>

namespace server {

/// A mailbox of RFC 5322: an email address with an optional display name. Both UTF-8.
struct mailbox {
    /// Empty: none.
    std::string name;
    std::string address;
};

/// A mail server and the credentials for it.
struct smtp_settings {
    /// smtp://host:port or smtps://host:port, without user and password.
    std::string url;
    std::string user, password;
    /// A loopback address, for which TLS is optional.
    bool is_local = false;
};

} // namespace server
