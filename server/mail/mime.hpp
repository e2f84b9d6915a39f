// MIME: an email message as the bytes that mail servers accept (RFC 5322, RFC 2045).
#pragma once

#include "server/mail_settings.hpp"

#include <string>
#include <utility>
#include <vector>

namespace server {

/// An email message with the same content twice: plain text and HTML. All UTF-8.
struct mail_message {
    mailbox from, to;
    std::string subject;
    /// Message-ID without its angle brackets: the same at every delivery attempt.
    std::string id;
    /// As mail_date().
    std::string date;
    std::string text, html;
    /// Further header fields, ASCII.
    std::vector<std::pair<std::string, std::string>> headers;
};

/** Serialize a message, with CRLF line ends. Text beyond ASCII is encoded (RFC 2047, quoted-printable), so
    that any server accepts it; an email address beyond ASCII requires SMTPUTF8. No value can inject a header
    field. */
std::string to_mime(const mail_message& message);

/// The current time as a Date header (RFC 5322, section 3.3).
std::string mail_date();

} // namespace server
