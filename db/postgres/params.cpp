#include "db/postgres/params.hpp"

#include <cstdio>
#include <cstring>
#include <limits>

namespace db {

// Element types of binary arrays; PostgreSQL, pg_type.dat.
static constexpr std::uint32_t bytea_type = 17;
static constexpr std::uint32_t uuid_type = 2950;

static std::string_view as_text(const std::uint8_t* bytes, std::size_t size)
{
    return {reinterpret_cast<const char*>(bytes), size};
}

/// "2026-11-24 11:19:05.123456+00", which PostgreSQL reads alike under every DateStyle.
static std::string_view print(timestamp value, std::span<char, 40> out)
{
    using namespace std::chrono;
    if (value < sys_days{1y / January / 1} || value >= sys_days{10000y / January / 1})
        throw failure(failure_kind::mapping, "a timestamp outside the years 1 to 9999");
    auto day = floor<days>(value);
    year_month_day date{day};
    hh_mm_ss time{value - day};
    int size = std::snprintf(out.data(), out.size(), "%04d-%02u-%02u %02d:%02d:%02d.%06d+00",
                             int(date.year()), unsigned(date.month()), unsigned(date.day()),
                             int(time.hours().count()), int(time.minutes().count()),
                             int(time.seconds().count()), int(time.subseconds().count()));
    return {out.data(), static_cast<std::size_t>(size)};
}

static void reject_nul(std::string_view value)
{
    if (value.find('\0') != value.npos)
        throw failure(failure_kind::mapping, "a text with a NUL character, which PostgreSQL cannot store");
}

void params::point(std::size_t first, std::size_t count, pointers& out) const
{
    out.values.clear();
    out.lengths.clear();
    out.formats.clear();
    for (auto at = first; at < first + count; ++at) {
        const auto& value = values_[at];
        out.values.push_back(value.length < 0 ? nullptr : bytes_.data() + value.offset);
        out.lengths.push_back(value.length);
        out.formats.push_back(value.binary ? 1 : 0);
    }
}

void params::append(const params& others)
{
    auto shift = bytes_.size();
    bytes_ += others.bytes_;
    values_.reserve(values_.size() + others.values_.size());
    for (auto value : others.values_) {
        value.offset += shift;
        values_.push_back(value);
    }
}

void params::finish_value(std::size_t offset, bool binary)
{
    auto size = bytes_.size() - offset;
    if (size > static_cast<std::size_t>(std::numeric_limits<int>::max()))
        throw failure(failure_kind::mapping, "a value over 2 GiB");
    values_.push_back({offset, static_cast<int>(size), binary});
    if (!binary)
        bytes_ += '\0';
}

void params::add_null()
{
    values_.push_back({0, -1, false});
}

void params::add_text(std::string_view value)
{
    reject_nul(value);
    auto offset = bytes_.size();
    bytes_ += value;
    finish_value(offset, false);
}

void params::add_bytes(std::span<const std::uint8_t> value)
{
    auto offset = bytes_.size();
    bytes_ += as_text(value.data(), value.size());
    finish_value(offset, true);
}

void params::add_uuid(const uuid& value)
{
    static constexpr char digits[] = "0123456789abcdef";
    char text[32];
    char* out = text;
    for (auto byte : value) {
        *out++ = digits[byte >> 4];
        *out++ = digits[byte & 15];
    }
    add_text({text, sizeof text}); // PostgreSQL accepts uuids without hyphens
}

void params::add_timestamp(timestamp value)
{
    char text[40];
    add_text(print(value, text));
}

void params::add_array(std::span<const timestamp> values)
{
    auto offset = bytes_.size();
    char separator = '{';
    char text[40];
    for (auto value : values) {
        bytes_ += std::exchange(separator, ',');
        append_quoted(print(value, text));
    }
    bytes_ += values.empty() ? "{}" : "}";
    finish_value(offset, false);
}

void params::add_array(std::span<const uuid> values)
{
    auto offset = bytes_.size();
    begin_binary_array(values.size(), uuid_type);
    for (const auto& value : values) {
        append_big_endian(16);
        bytes_ += as_text(value.data, 16);
    }
    finish_value(offset, true);
}

void params::add_array(std::span<const digest> values)
{
    auto offset = bytes_.size();
    begin_binary_array(values.size(), bytea_type);
    for (const auto& value : values) {
        append_big_endian(static_cast<std::uint32_t>(value.size()));
        bytes_ += as_text(value.data(), value.size());
    }
    finish_value(offset, true);
}

// As array_recv() reads it: dimensions, has-NULLs flag, element type, then each dimension's length and lower
// bound.
void params::begin_binary_array(std::size_t count, std::uint32_t element_type)
{
    append_big_endian(count == 0 ? 0 : 1);
    append_big_endian(0);
    append_big_endian(element_type);
    if (count == 0)
        return;
    append_big_endian(static_cast<std::uint32_t>(count));
    append_big_endian(1);
}

void params::append_big_endian(std::uint32_t value)
{
    for (int shift = 24; shift >= 0; shift -= 8)
        bytes_ += static_cast<char>(value >> shift & 0xff);
}

void params::append_quoted(std::string_view value)
{
    reject_nul(value);
    bytes_ += '"';
    for (char c : value) {
        if (c == '"' || c == '\\')
            bytes_ += '\\';
        bytes_ += c;
    }
    bytes_ += '"';
}

} // namespace db
