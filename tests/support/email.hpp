// A mail as its reader has it.
#pragma once

#include <map>
#include <string>
#include <string_view>

namespace support {

struct letter {
    std::string to; // of the header
    std::string subject;
    std::string text; // lines end with \n; empty if there is no such part, likewise html
    std::string html;
    std::map<std::string, std::string> headers; // by lower-case names, unfolded, not decoded
};

/** Read a message: parts of text/plain and text/html in any multipart, as quoted-printable or base64, in
   UTF-8; an encoded subject. @throw runtime_error for what it cannot read */
letter read_letter(std::string_view message);

/// The first link of its text; empty if there is none.
std::string link_in(const letter& letter);

/// What its link has for `token`; empty if there is none.
std::string token_in(const letter& letter);

} // namespace support
