// Letters as the bytes that mail servers take (RFC 5322, MIME).
#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace server {

/** Somebody's mailbox; the name may be empty. Both UTF-8. */
struct mailbox {
    std::string name;
    std::string address;
};

/** One letter, with the same content twice: plain and HTML. All UTF-8. */
struct mail {
    mailbox from, to;
    std::string subject;
    std::string id;   ///< of Message-ID, without brackets: the same at every attempt
    std::string date; ///< RFC 5322
    std::string text, html;
    std::vector<std::pair<std::string, std::string>> headers; ///< further ones, ASCII
};

/** Lines end with CRLF. Text that is not ASCII is encoded (RFC 2047, quoted-printable), so that any server
   takes it; an address that is not needs SMTPUTF8. No value can add a header line of its own. */
std::string to_mime(const mail& letter);

/** Now, as a letter's date. */
std::string mail_date();

} // namespace server
