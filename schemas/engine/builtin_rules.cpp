#include "schemas/engine/builtin_rules.hpp"

#include <algorithm>
#include <array>
#include <bit>
#include <charconv>
#include <cmath>
#include <cstring>

namespace schemas {

namespace json = boost::json;

// ---- lists

bool check_list_size(std::size_t size, std::size_t min, std::size_t max, const path& at,
                     validation_errors& errors)
{
    if (size < min)
        errors.add(at, "too_short", "must have at least " + std::to_string(min) + " items");
    else if (size > max)
        errors.add(at, "too_long", "must have at most " + std::to_string(max) + " items");
    return size >= min && size <= max;
}

// ---- strings and booleans

std::optional<std::string> rule<std::string>::parse(const json::value& in, const path& at,
                                                    validation_errors& errors)
{
    const auto* text = expect_string(in, at, errors);
    if (!text)
        return std::nullopt;
    return std::string(text->data(), text->size());
}

json::object rule<std::string>::openapi(openapi_context&)
{
    return string_schema(0, unlimited);
}

std::optional<bool> rule<bool>::parse(const json::value& in, const path& at, validation_errors& errors)
{
    const auto* value = in.if_bool();
    if (value)
        return *value;
    errors.add(at, "bool_type", "must be true or false");
    return std::nullopt;
}

std::optional<bool> rule<bool>::parse_text(std::string_view in, const path& at, validation_errors& errors)
{
    if (in == "true" || in == "1")
        return true;
    if (in == "false" || in == "0")
        return false;
    errors.add(at, "bool_parsing", "must be true or false");
    return std::nullopt;
}

json::object rule<bool>::openapi(openapi_context&)
{
    return {{"type", "boolean"}};
}

// ---- integers

namespace {

constexpr std::int64_t min_int = std::numeric_limits<std::int64_t>::min();
constexpr std::int64_t max_int = std::numeric_limits<std::int64_t>::max();

/// Numbers beyond 64 bits are clamped, which does not change any range check.
std::optional<std::int64_t> to_integer(const json::value& in)
{
    if (const auto* number = in.if_int64())
        return *number;
    if (const auto* number = in.if_uint64())
        return static_cast<std::int64_t>(std::min(*number, static_cast<std::uint64_t>(max_int)));
    const auto* number = in.if_double();
    if (!number || std::trunc(*number) != *number)
        return std::nullopt;
    if (*number >= 0x1p63)
        return max_int;
    if (*number < -0x1p63)
        return min_int;
    return static_cast<std::int64_t>(*number);
}

std::optional<std::int64_t> to_integer(std::string_view text)
{
    std::int64_t number = 0;
    const char* const end = text.data() + text.size();
    const auto [stopped, error] = std::from_chars(std::to_address(text.begin()), end, number);
    if (stopped != end || error == std::errc::invalid_argument)
        return std::nullopt;
    if (error == std::errc::result_out_of_range)
        return text.front() == '-' ? min_int : max_int;
    return number;
}

std::optional<std::int64_t> check_range(std::int64_t number, std::int64_t min, std::int64_t max,
                                        const path& at, validation_errors& errors)
{
    if (number >= min && number <= max)
        return number;
    if (number < min)
        errors.add(at, "greater_than_equal", "must be at least " + std::to_string(min));
    else
        errors.add(at, "less_than_equal", "must be at most " + std::to_string(max));
    return std::nullopt;
}

} // namespace

std::optional<std::int64_t> parse_integer(const json::value& in, std::int64_t min, std::int64_t max,
                                          const path& at, validation_errors& errors)
{
    if (const auto number = to_integer(in))
        return check_range(*number, min, max, at, errors);
    errors.add(at, "int_type", "must be a whole number");
    return std::nullopt;
}

std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max,
                                          const path& at, validation_errors& errors)
{
    if (const auto number = to_integer(text))
        return check_range(*number, min, max, at, errors);
    errors.add(at, "int_parsing", "must be a whole number");
    return std::nullopt;
}

json::object integer_schema(std::int64_t min, std::int64_t max)
{
    json::object out{{"type", "integer"}};
    if (min != min_int)
        out["minimum"] = min;
    if (max != max_int)
        out["maximum"] = max;
    return out;
}

// ---- ids and timestamps

namespace {

using boost::uuids::uuid;

constexpr bool is_dash_before(std::size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

/** Four bytes as eight hexadecimal digits, all at once in the bytes of one word (SWAR). One by one they
    take four times as long, and each reply of `/auth` has three ids. */
std::uint64_t hex_digits(const std::uint8_t* bytes)
{
    static_assert(std::endian::native == std::endian::little);
    constexpr std::uint64_t each_byte = 0x0101010101010101;
    std::uint32_t four;
    std::memcpy(&four, bytes, sizeof four);
    // Give each byte two bytes of the word, and each half of it one of them, the high half first.
    std::uint64_t word = four;
    word = (word | word << 16) & 0x0000ffff0000ffff;
    word = (word | word << 8) & 0x00ff00ff00ff00ff;
    word = (word >> 4 & 0x000f000f000f000f) | (word & 0x000f000f000f000f) << 8;
    // The digit n is '0' + n, and further by the distance from '9' + 1 to 'a' if n > 9.
    auto is_above_9 = (word + 6 * each_byte) >> 4 & each_byte;
    return word + '0' * each_byte + is_above_9 * ('a' - '0' - 10);
}

std::optional<unsigned> hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return static_cast<unsigned>(c - '0');
    if (c >= 'a' && c <= 'f')
        return static_cast<unsigned>(c - 'a' + 10);
    if (c >= 'A' && c <= 'F')
        return static_cast<unsigned>(c - 'A' + 10);
    return std::nullopt;
}

} // namespace

std::optional<uuid> parse_uuid(std::string_view text)
{
    if (text.size() != 36)
        return std::nullopt;
    uuid id{};
    std::size_t i = 0;
    for (std::size_t byte = 0; byte < 16; ++byte) {
        if (is_dash_before(byte) && text[i++] != '-')
            return std::nullopt;
        const auto high = hex_digit(text[i++]);
        const auto low = hex_digit(text[i++]);
        if (!high || !low)
            return std::nullopt;
        id.data[byte] = static_cast<std::uint8_t>(*high << 4 | *low);
    }
    return id;
}

void append_uuid(std::string& out, const uuid& id)
{
    std::array<char, 32> digits;
    for (std::size_t i = 0; i < 4; ++i) {
        auto eight = hex_digits(&id.data[4 * i]);
        std::memcpy(&digits[8 * i], &eight, sizeof eight);
    }
    std::array<char, 36> text;
    text[8] = text[13] = text[18] = text[23] = '-';
    std::memcpy(&text[0], &digits[0], 8);
    std::memcpy(&text[9], &digits[8], 4);
    std::memcpy(&text[14], &digits[12], 4);
    std::memcpy(&text[19], &digits[16], 4);
    std::memcpy(&text[24], &digits[20], 12);
    out.append(text.data(), text.size());
}

std::optional<uuid> rule<uuid>::parse(const json::value& in, const path& at, validation_errors& errors)
{
    const auto* text = expect_string(in, at, errors);
    return text ? parse_text(*text, at, errors) : std::nullopt;
}

std::optional<uuid> rule<uuid>::parse_text(std::string_view in, const path& at, validation_errors& errors)
{
    auto id = parse_uuid(in);
    if (!id)
        errors.add(at, "uuid_parsing", "must be a UUID");
    return id;
}

void rule<uuid>::write(std::string& out, const uuid& id)
{
    out += '"';
    append_uuid(out, id);
    out += '"';
}

json::object rule<uuid>::openapi(openapi_context&)
{
    return format_schema("uuid");
}

std::optional<timestamp> rule<timestamp>::parse(const json::value& in, const path& at,
                                                validation_errors& errors)
{
    const auto* text = expect_string(in, at, errors);
    return text ? parse_text(*text, at, errors) : std::nullopt;
}

std::optional<timestamp> rule<timestamp>::parse_text(std::string_view in, const path& at,
                                                     validation_errors& errors)
{
    auto instant = parse_timestamp(in);
    if (!instant)
        errors.add(at, "datetime_parsing", "must be a date and time with an offset, as in RFC 3339");
    return instant;
}

void rule<timestamp>::write(std::string& out, timestamp at)
{
    out += '"';
    append_timestamp(out, at);
    out += '"';
}

json::object rule<timestamp>::openapi(openapi_context&)
{
    return format_schema("date-time");
}

// ---- locations

void rule<step>::write(std::string& out, const step& value)
{
    if (const auto* name = std::get_if<std::string>(&value))
        write_string(out, *name);
    else
        write_integer(out, static_cast<std::int64_t>(std::get<std::size_t>(value)));
}

json::object rule<step>::openapi(openapi_context&)
{
    return {{"type", {"string", "integer"}}};
}

} // namespace schemas
