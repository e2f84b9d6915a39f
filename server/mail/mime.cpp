#include "server/mail/mime.hpp"

#include "crypto/encoding.hpp"
#include "schemas/engine/utf8.hpp"

#include <algorithm>
#include <array>
#include <ctime>

namespace server {

namespace {

constexpr std::size_t max_line_size = 76;

bool is_plain(char c)
{
    return c >= 0x20 && c < 0x7f;
}

/// One encoded word (RFC 2047, section 4.1).
std::string encoded_word(std::string_view piece)
{
    return "=?UTF-8?B?" + crypto::to_base64(crypto::bytes_of(piece)) + "?=";
}

/** Text as the value of a header field. Each encoded word is on a line of its own and holds whole code
    points. */
std::string header_text(std::string_view text)
{
    // 52 characters of base64: a line with encoded words has 76 characters at most, "Subject: " included.
    constexpr std::size_t max_word_bytes = 39;
    if (text.size() < 60 && std::ranges::all_of(text, is_plain) && text.find("=?") == std::string_view::npos)
        return std::string(text);
    std::string out, piece;
    auto flush = [&] {
        out.append(out.empty() ? "" : "\r\n ").append(encoded_word(piece));
        piece.clear();
    };
    while (!text.empty()) {
        auto rest = text;
        schemas::take_code_point(rest);
        auto character = text.substr(0, text.size() - rest.size());
        if (piece.size() + character.size() > max_word_bytes)
            flush();
        piece += character;
        text = rest;
    }
    flush();
    return out;
}

/// A display name. Anything but ASCII alphanumerics and spaces is encoded, which avoids quoted strings.
std::string name_text(std::string_view name)
{
    auto is_word_or_space = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == ' ';
    };
    if (name.size() < 60 && std::ranges::all_of(name, is_word_or_space))
        return std::string(name);
    auto out = header_text(name);
    return out.starts_with("=?") ? out : encoded_word(name);
}

/// A value that is never encoded, without control characters: it cannot inject a header field.
std::string one_line(std::string text)
{
    std::erase_if(text, [](unsigned char c) { return c < 0x20 || c == 0x7f; });
    return text;
}

std::string mailbox_text(const mailbox& box)
{
    auto bracketed = "<" + one_line(box.address) + ">";
    return box.name.empty() ? bracketed : name_text(box.name) + "\r\n " + bracketed;
}

/// Quoted-printable encoding (RFC 2045, section 6.7) of a text with LF line ends.
std::string quoted_printable(std::string_view text)
{
    constexpr std::string_view digits = "0123456789ABCDEF";
    std::string out;
    std::size_t column = 0;
    auto put = [&](std::string_view piece) {
        if (column + piece.size() >= max_line_size) {
            out += "=\r\n";
            column = 0;
        }
        out += piece;
        column += piece.size();
    };
    for (std::size_t i = 0; i < text.size(); ++i) {
        char c = text[i];
        bool ends_line = i + 1 == text.size() || text[i + 1] == '\n';
        auto byte = static_cast<unsigned char>(c);
        if (c == '\n') {
            out += "\r\n";
            column = 0;
        } else if (is_plain(c) && c != '=' && !(c == ' ' && ends_line)) {
            put({&c, 1});
        } else {
            const char escaped[] = {'=', digits[byte >> 4], digits[byte & 15]};
            put({escaped, sizeof escaped});
        }
    }
    return out;
}

/// The text with CRLF line ends.
std::string with_crlf(std::string_view text)
{
    std::string out;
    for (char c : text)
        c == '\n' ? out.append("\r\n") : out.append(1, c);
    return out;
}

/// Whether the text needs no encoding: then the raw message stays readable.
bool is_seven_bit(std::string_view text)
{
    constexpr std::size_t max_column = 900; // a line has 998 characters at most (RFC 5322, section 2.1.1)
    std::size_t column = 0;
    for (char c : text) {
        column = c == '\n' ? 0 : column + 1;
        if ((!is_plain(c) && c != '\n') || column > max_column)
            return false;
    }
    return true;
}

void append_part(std::string& out, std::string_view boundary, std::string_view type, std::string_view text)
{
    bool is_unencoded = is_seven_bit(text);
    out.append("--").append(boundary).append("\r\nContent-Type: ").append(type).append("; charset=utf-8\r\n");
    out.append("Content-Transfer-Encoding: ").append(is_unencoded ? "7bit" : "quoted-printable");
    out.append("\r\n\r\n").append(is_unencoded ? with_crlf(text) : quoted_printable(text)).append("\r\n");
}

} // namespace

std::string to_mime(const mail_message& message)
{
    auto id = one_line(message.id);
    auto boundary = "part-" + id.substr(0, id.find('@')); // occurs in no text: ids are random
    std::string out;
    auto header = [&](std::string_view name, std::string_view value) {
        out.append(name).append(": ").append(value).append("\r\n");
    };
    header("Date", one_line(message.date));
    header("From", mailbox_text(message.from));
    header("To", mailbox_text(message.to));
    header("Subject", header_text(message.subject));
    header("Message-ID", "<" + id + ">");
    for (auto& [name, value] : message.headers)
        header(name, one_line(value));
    header("MIME-Version", "1.0");
    header("Content-Type", "multipart/alternative; boundary=\"" + boundary + "\"");
    out += "\r\n";
    append_part(out, boundary, "text/plain", message.text);
    append_part(out, boundary, "text/html", message.html);
    out.append("--").append(boundary).append("--\r\n");
    return out;
}

std::string mail_date()
{
    auto now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 48> text;
    auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S +0000", &utc);
    return {text.data(), size};
}

} // namespace server
