// Parsing received emails.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace support {

struct email {
    /// The To header.
    std::string to;
    std::string subject;
    /// Lines end with \n. Empty if there is no such part; the same holds for html.
    std::string text;
    std::string html;
    /// By lower-case names; unfolded, not decoded.
    std::map<std::string, std::string> headers;
};

/** Parse a message: parts of text/plain and text/html in any multipart, as quoted-printable or base64, in
    UTF-8; an encoded subject. @throw runtime_error for anything else */
email parse_email(std::string_view message);

/// The first link in the text; empty if there is none.
std::string link_in(const email& message);

/// The parameter `token` of the first link; empty if there is none.
std::string token_in(const email& message);

} // namespace support
