// Timestamps (RFC 3339): parsed with any offset, written in UTC.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace schemas {

using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/** Parse an RFC 3339 date-time, such as `2026-11-24T12:49:36.5+02:00`. Digits beyond microseconds are
    truncated. A leap second is read as the first second of the next minute, and only accepted where UTC can
    have one (23:59:60).
    @return nothing unless the whole text is a date-time within the years 0001 to 9999 UTC */
std::optional<timestamp> parse_timestamp(std::string_view text);

/// Append `2026-11-24T10:49:36.123456Z`: always six fraction digits, so that texts sort chronologically.
void append_timestamp(std::string& out, timestamp at);

} // namespace schemas
