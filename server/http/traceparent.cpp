#include "server/http/traceparent.hpp"

#include <algorithm>
#include <iterator>

namespace server {

namespace {

constexpr std::size_t trace_at = 3, trace_size = 32, parent_at = 36, parent_size = 16, flags_at = 53;
constexpr std::size_t minimum_size = 55;

bool is_hex(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); });
}

bool is_id(std::string_view text)
{
    return is_hex(text) && text.find_first_not_of('0') != text.npos;
}

} // namespace

std::optional<traceparent> traceparent::read(const handlers::request_head& head)
{
    auto lines = head.lines("traceparent");
    auto line = lines.begin();
    if (line == lines.end())
        return std::nullopt;
    std::string_view text = *line;
    if (++line != lines.end())
        return std::nullopt;
    // Version 00 has exactly four fields; later versions may append further ones.
    bool has_valid_size =
        text.size() == minimum_size ||
        (text.size() > minimum_size && text[minimum_size] == '-' && !text.starts_with("00"));
    if (!has_valid_size || text[2] != '-' || text[trace_at + trace_size] != '-' ||
        text[parent_at + parent_size] != '-')
        return std::nullopt;
    auto version = text.substr(0, 2);
    traceparent out{text.substr(trace_at, trace_size), text.substr(parent_at, parent_size)};
    if (!is_hex(version) || version == "ff" || !is_id(out.trace_id) || !is_id(out.parent_id) ||
        !is_hex(text.substr(flags_at, 2)))
        return std::nullopt;
    return out;
}

} // namespace server
