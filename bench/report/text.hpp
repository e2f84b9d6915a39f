// Number formats and text tables.
#pragma once

#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace bench {

/// 1234567 as "1,234,567".
std::string with_commas(std::uint64_t number);

/// Three significant digits: "812 µs", "1.31 ms", "2.50 s".
std::string as_time(std::chrono::nanoseconds time);

/// A fractional number of microseconds as a duration.
std::chrono::nanoseconds microseconds(double number);

/// Three significant digits: "10.8", "0.402", "1,230"; zero is "0".
std::string as_figure(double number);

/// With `digits` decimal places.
std::string as_fixed(double number, int digits);

/// "51.3 MB"
std::string as_bytes(std::size_t bytes);

/// Rows of cells as aligned lines: the first and the last column left-aligned, the others right-aligned.
std::string as_table(const std::vector<std::vector<std::string>>& rows);

} // namespace bench
