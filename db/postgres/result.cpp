#include "db/postgres/result.hpp"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace db {

/// Type OIDs from pg_type.dat. User-defined types (enums, citext) and domains over them start at 16384.
enum : Oid {
    bool_type = 16,
    bytea_type = 17,
    name_type = 19,
    int8_type = 20,
    int2_type = 21,
    int4_type = 23,
    text_type = 25,
    json_type = 114,
    bpchar_type = 1042,
    varchar_type = 1043,
    timestamp_type = 1114,
    timestamptz_type = 1184,
    unknown_type = 705,
    uuid_type = 2950,
    jsonb_type = 3802,
    first_user_type = 16384,
};

static std::uint64_t big_endian(std::string_view bytes)
{
    std::uint64_t value = 0;
    for (char byte : bytes)
        value = value << 8 | static_cast<std::uint8_t>(byte);
    return value;
}

static std::int64_t signed_big_endian(std::string_view bytes)
{
    switch (bytes.size()) {
    case 2:
        return static_cast<std::int16_t>(big_endian(bytes));
    case 4:
        return static_cast<std::int32_t>(big_endian(bytes));
    default:
        return static_cast<std::int64_t>(big_endian(bytes));
    }
}

std::size_t result::affected() const
{
    std::string_view count = PQcmdTuples(get());
    std::size_t rows = 0;
    std::from_chars(count.data(), count.data() + count.size(), rows);
    return rows;
}

void result::expect_rows(std::size_t min, std::size_t max) const
{
    if (size() < min || size() > max)
        throw failure(failure_kind::mapping, "expected one row, got " + std::to_string(size()));
}

// A statement's columns are mostly in the order of the struct's members, so the hint is right at once.
int result::column_of(const char* name, int hint) const
{
    int count = PQnfields(get());
    for (int tried = 0; tried < count; ++tried) {
        int column = (hint + tried) % count;
        if (std::strcmp(PQfname(get(), column), name) == 0)
            return column;
    }
    throw failure(failure_kind::mapping, "no column is named " + std::string(name));
}

cell result::at(std::size_t row, int column) const
{
    if (column >= PQnfields(get()))
        throw failure(failure_kind::mapping, "the statement returns no column");
    auto number = static_cast<int>(row);
    return {PQfname(get(), column),
            {PQgetvalue(get(), number, column), static_cast<std::size_t>(PQgetlength(get(), number, column))},
            PQftype(get(), column),
            PQgetisnull(get(), number, column) != 0};
}

namespace decoding {

void fail(const cell& from, std::string_view why)
{
    throw failure(failure_kind::mapping, "column " + std::string(from.column) + " " + std::string(why));
}

static void expect(const cell& from, bool fits, std::string_view wanted)
{
    if (from.null)
        fail(from, "is NULL");
    if (!fits)
        fail(from, "is of type " + std::to_string(from.type) + ", not " + std::string(wanted));
}

std::string_view text(const cell& from)
{
    static constexpr Oid textual[] = {text_type,    varchar_type, bpchar_type, name_type,
                                      unknown_type, json_type,    jsonb_type};
    bool fits = from.type >= first_user_type || std::ranges::find(textual, from.type) != std::end(textual);
    expect(from, fits, "text");
    return from.type == jsonb_type ? from.bytes.substr(1) : from.bytes; // jsonb's first byte is a version
}

std::int64_t integer(const cell& from, std::int64_t min, std::int64_t max)
{
    expect(from, from.type == int4_type || from.type == int8_type || from.type == int2_type, "an integer");
    auto value = signed_big_endian(from.bytes);
    if (value < min || value > max)
        fail(from, "holds a number too large for its member");
    return value;
}

bool boolean(const cell& from)
{
    expect(from, from.type == bool_type, "boolean");
    return from.bytes.front() != 0;
}

uuid identifier(const cell& from)
{
    expect(from, from.type == uuid_type, "uuid");
    uuid value;
    std::memcpy(value.data, from.bytes.data(), sizeof value.data);
    return value;
}

timestamp time(const cell& from)
{
    expect(from, from.type == timestamptz_type || from.type == timestamp_type, "a timestamp");
    using namespace std::chrono;
    constexpr auto epoch = time_point_cast<microseconds>(sys_days{2000y / January / 1});
    auto since = microseconds{signed_big_endian(from.bytes)};
    // The two ends of the range are PostgreSQL's infinities; values this near to them do not fit timestamp.
    if (since == microseconds::max() || since == microseconds::min() ||
        since > microseconds::max() - epoch.time_since_epoch())
        fail(from, "holds an infinite timestamp");
    return epoch + since;
}

std::span<const std::uint8_t> bytes(const cell& from)
{
    expect(from, from.type == bytea_type, "bytea");
    return {reinterpret_cast<const std::uint8_t*>(from.bytes.data()), from.bytes.size()};
}

digest fixed_bytes(const cell& from)
{
    auto all = bytes(from);
    digest value;
    if (all.size() != value.size())
        fail(from, "holds " + std::to_string(all.size()) + " bytes, not 32");
    std::ranges::copy(all, value.begin());
    return value;
}

/// Take the next `size` bytes off the front of an array's binary format.
static std::string_view take(std::string_view& rest, std::size_t size, const cell& from)
{
    if (rest.size() < size)
        fail(from, "is not an array");
    auto front = rest.substr(0, size);
    rest.remove_prefix(size);
    return front;
}

// As array_send() writes it: dimensions, flags, element type, {length, lower bound}, then the elements.
std::vector<cell> elements(const cell& from)
{
    if (from.null)
        fail(from, "is NULL");
    auto rest = from.bytes;
    auto number = [&] { return signed_big_endian(take(rest, 4, from)); };
    auto dimensions = number();
    number();
    auto type = static_cast<Oid>(number());
    std::vector<cell> found;
    if (dimensions == 0)
        return found;
    if (dimensions != 1)
        fail(from, "is not an array of one dimension");
    auto count = number();
    number();
    for (std::int64_t at = 0; at < count; ++at) {
        auto size = number();
        auto bytes = size < 0 ? std::string_view() : take(rest, static_cast<std::size_t>(size), from);
        found.push_back({from.column, bytes, type, size < 0});
    }
    return found;
}

} // namespace decoding

} // namespace db
