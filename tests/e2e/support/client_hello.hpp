// ClientHello messages of TLS up to 1.2, byte by byte: for what today's libraries cannot offer any more.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace e2e {

struct client_hello {
    /// 0x0300 is SSL 3.0, 0x0303 TLS 1.2.
    unsigned version = 0x0303;
    std::vector<unsigned> suites{0xc02b, 0xc02f};
    /// 0 is none, 1 DEFLATE.
    std::string compression{'\0'};

    /// The record.
    std::string bytes() const
    {
        std::string listed;
        for (auto suite : suites)
            listed += number(suite, 2);
        std::string extensions =
            extension(10, number(4, 2) + number(0x001d, 2) + number(0x0017, 2)) + // groups
            extension(11, std::string("\1\0", 2)) +                               // uncompressed points
            extension(13, number(4, 2) + number(0x0403, 2) + number(0x0804, 2));
        auto body = number(version, 2) + std::string(32, 'r') + number(0, 1) + // no session
                    number(listed.size(), 2) + listed + number(compression.size(), 1) + compression +
                    number(extensions.size(), 2) + extensions;
        auto message = number(1, 1) + number(body.size(), 3) + body;
        return number(22, 1) + number(0x0301, 2) + number(message.size(), 2) + message;
    }

private:
    /// Big-endian.
    static std::string number(std::size_t value, int size)
    {
        std::string out;
        for (int shift = (size - 1) * 8; shift >= 0; shift -= 8)
            out.push_back(static_cast<char>(value >> shift & 0xff));
        return out;
    }

    static std::string extension(unsigned kind, const std::string& content)
    {
        return number(kind, 2) + number(content.size(), 2) + content;
    }
};

/// The number of the fatal alert that a server answers with, or -1.
inline int alert_in(const std::string& answer)
{
    bool is_alert = answer.size() == 7 && answer[0] == 21 && answer[5] == 2;
    return is_alert ? static_cast<unsigned char>(answer[6]) : -1;
}

} // namespace e2e
