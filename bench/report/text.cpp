#include "bench/report/text.hpp"

#include <algorithm>
#include <cmath>
#include <cstdio>

namespace bench {

namespace {

/// The columns of a text on a terminal: its characters, not its bytes.
std::size_t columns(std::string_view text)
{
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

} // namespace

std::string with_commas(std::uint64_t number)
{
    auto out = std::to_string(number);
    for (auto at = static_cast<std::ptrdiff_t>(out.size()) - 3; at > 0; at -= 3)
        out.insert(static_cast<std::size_t>(at), ",");
    return out;
}

std::string as_fixed(double number, int digits)
{
    char text[64];
    std::snprintf(text, sizeof text, "%.*f", digits, number);
    return text;
}

std::string as_figure(double number)
{
    if (number == 0)
        return "0";
    if (number >= 999.5)
        return with_commas(static_cast<std::uint64_t>(std::llround(number)));
    return as_fixed(number, number >= 99.95 ? 0 : number >= 9.995 ? 1 : number >= 0.9995 ? 2 : 3);
}

std::chrono::nanoseconds microseconds(double number)
{
    return std::chrono::nanoseconds(std::llround(number * 1e3));
}

std::string as_time(std::chrono::nanoseconds time)
{
    auto nanoseconds = static_cast<double>(time.count());
    if (nanoseconds < 999.5e3)
        return as_figure(nanoseconds / 1e3) + " µs";
    if (nanoseconds < 999.5e6)
        return as_figure(nanoseconds / 1e6) + " ms";
    return as_figure(nanoseconds / 1e9) + " s";
}

std::string as_bytes(std::size_t bytes)
{
    auto number = static_cast<double>(bytes);
    if (number < 1e6)
        return as_figure(number / 1e3) + " kB";
    return as_figure(number / 1e6) + " MB";
}

std::string as_table(const std::vector<std::vector<std::string>>& rows)
{
    std::vector<std::size_t> widths;
    for (auto& row : rows)
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths.resize(std::max(widths.size(), row.size()));
            widths[i] = std::max(widths[i], columns(row[i]));
        }
    std::string out;
    for (auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            std::string padding(widths[i] - columns(row[i]), ' ');
            bool last = i + 1 == widths.size();
            out += i == 0 ? "  " : "   ";
            out += i == 0 ? row[i] + padding : last ? row[i] : padding + row[i];
        }
        out.erase(out.find_last_not_of(' ') + 1);
        out += '\n';
    }
    return out;
}

} // namespace bench
