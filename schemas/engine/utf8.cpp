#include "schemas/engine/utf8.hpp"

#include <algorithm>
#include <cstdint>

namespace schemas {

std::optional<char32_t> take_code_point(std::string_view& rest)
{
    const auto byte = [&](std::size_t i) { return static_cast<std::uint8_t>(rest[i]); };
    const auto first = byte(0);
    if (first < 0x80) {
        rest.remove_prefix(1);
        return first;
    }
    std::size_t length = 0;
    char32_t min = 0; // smaller values are overlong forms
    char32_t c = 0;
    if (first >= 0xC2 && first <= 0xDF) {
        length = 2, min = 0x80, c = first & 0x1F;
    } else if (first >= 0xE0 && first <= 0xEF) {
        length = 3, min = 0x800, c = first & 0x0F;
    } else if (first >= 0xF0 && first <= 0xF4) {
        length = 4, min = 0x10000, c = first & 0x07;
    }
    bool valid = length > 0 && rest.size() >= length;
    for (std::size_t i = 1; valid && i < length; ++i) {
        valid = (byte(i) & 0xC0) == 0x80;
        c = (c << 6) | (byte(i) & 0x3F);
    }
    if (!valid || c < min || c > 0x10FFFF || (c >= 0xD800 && c <= 0xDFFF)) {
        rest.remove_prefix(1);
        return std::nullopt;
    }
    rest.remove_prefix(length);
    return c;
}

std::size_t count_code_points(std::string_view utf8)
{
    const auto starts = [](char c) { return (static_cast<std::uint8_t>(c) & 0xC0) != 0x80; };
    return static_cast<std::size_t>(std::count_if(utf8.begin(), utf8.end(), starts));
}

bool is_control(char32_t c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F) || c == 0x2028 || c == 0x2029;
}

bool is_blank(char32_t c)
{
    if (c <= 0x20 || (c >= 0x2000 && c <= 0x200F) || (c >= 0x2028 && c <= 0x202F) ||
        (c >= 0x205F && c <= 0x206F))
        return true;
    constexpr char32_t others[] = {0x85,   0xA0,   0xAD,   0x034F, 0x061C, 0x115F, 0x1160,
                                   0x1680, 0x180E, 0x2800, 0x3000, 0x3164, 0xFEFF, 0xFFA0};
    return std::find(std::begin(others), std::end(others), c) != std::end(others);
}

std::string_view trim_blanks(std::string_view text)
{
    std::size_t from = text.size(), to = 0;
    for (auto rest = text; !rest.empty();) {
        const auto at = text.size() - rest.size();
        const auto c = take_code_point(rest);
        if (c && is_blank(*c))
            continue;
        from = std::min(from, at);
        to = text.size() - rest.size();
    }
    return from < to ? text.substr(from, to - from) : std::string_view();
}

bool is_bidi_control(char32_t c)
{
    return (c >= 0x202A && c <= 0x202E) || (c >= 0x2066 && c <= 0x2069);
}

std::string sanitize_text(std::string_view in, std::size_t max_bytes)
{
    std::string out;
    while (!in.empty()) {
        const auto before = in;
        const auto c = take_code_point(in);
        const bool valid = c && !is_control(*c);
        const std::string_view part = valid ? before.substr(0, before.size() - in.size()) : "\xEF\xBF\xBD";
        if (out.size() + part.size() > max_bytes)
            break;
        out += part;
    }
    return out;
}

} // namespace schemas
