// Instants on the wire: RFC 3339 in with any offset, out in UTC.
#pragma once

#include <chrono>
#include <optional>
#include <string>
#include <string_view>

namespace schemas {

using timestamp = std::chrono::sys_time<std::chrono::microseconds>;

/** Read an RFC 3339 date-time, such as `2026-11-24T12:49:36.5+02:00`. Digits beyond microseconds are cut off;
    a leap second is read as the first second of the next minute, and only where UTC can have one (23:59:60).
    @return nothing unless the whole text is a date-time within the years 0001 to 9999 UTC */
std::optional<timestamp> parse_timestamp(std::string_view text);

/** Append `2026-11-24T10:49:36.123456Z`: always six digits, so that texts sort as instants do. */
void append_timestamp(std::string& out, timestamp at);

} // namespace schemas
