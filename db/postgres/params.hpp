// Statement parameters, encoded for libpq.
#pragma once

#include "db/postgres/async.hpp"
#include "db/postgres/error.hpp"

#include <boost/container/small_vector.hpp>
#include <boost/describe/enum_to_string.hpp>

#include <charconv>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace db {

template <class T>
concept number = std::is_arithmetic_v<T>;

template <class T>
concept described_enum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <class T>
inline constexpr bool is_optional = false;
template <class T>
inline constexpr bool is_optional<std::optional<T>> = true;

/** The parameters of one batch, encoded as they are added, so that nothing refers to the caller's values.

    Most travel as text, which PostgreSQL reads as the type it inferred: an int fits smallint as well as
    bigint, and a string an enum. Bytes and arrays of uuids and digests travel in binary, where text would
    cost twice the size. */
class params {
public:
    /** Append one value: text, a number, bool, a described enum (by its name), uuid, timestamp, bytes, a
        vector of texts, numbers, timestamps, uuids or digests (an array), an optional of these, or nullptr.
        @throw failure (mapping) for text with a NUL in it, or a year outside 1 to 9999 */
    template <class T>
    void add(const T& value);

    /// Append the parameters of another batch.
    void append(const params& others);

    std::size_t size() const { return values_.size(); }

    /// Parallel arrays as libpq wants them; they point into the parameters they were made from.
    struct pointers {
        boost::container::small_vector<const char*, 16> values;
        boost::container::small_vector<int, 16> lengths;
        boost::container::small_vector<int, 16> formats;
    };

    /// Point at `count` parameters from `first` on. Valid until the next add().
    void point(std::size_t first, std::size_t count, pointers& out) const;

private:
    struct value_ref {
        std::size_t offset;

        /// Negative: NULL.
        int length;
        bool binary;
    };

    void add_null();
    void add_text(std::string_view value);
    void add_bytes(std::span<const std::uint8_t> value);
    void add_uuid(const uuid& value);
    void add_timestamp(timestamp value);
    void add_array(std::span<const uuid> values);
    void add_array(std::span<const digest> values);
    void add_array(std::span<const timestamp> values);

    template <class T>
        requires std::convertible_to<const T&, std::string_view>
    void add_array(std::span<const T> values);
    template <number T>
    void add_array(std::span<const T> values);

    template <number T>
    void append_number(T value);
    void append_quoted(std::string_view value);
    void begin_binary_array(std::size_t count, std::uint32_t element_type);
    void append_big_endian(std::uint32_t value);
    void finish_value(std::size_t offset, bool binary);

    /// Each text ends with a NUL, for libpq.
    std::string bytes_;
    boost::container::small_vector<value_ref, 8> values_;
};

template <class T>
void params::add(const T& value)
{
    if constexpr (is_optional<T>) {
        value ? add(*value) : add_null();
    } else if constexpr (std::same_as<T, std::nullptr_t> || std::same_as<T, std::nullopt_t>) {
        add_null();
    } else if constexpr (std::convertible_to<const T&, std::string_view>) {
        add_text(value);
    } else if constexpr (std::same_as<T, bool>) {
        add_text(value ? "t" : "f");
    } else if constexpr (number<T>) {
        auto offset = bytes_.size();
        append_number(value);
        finish_value(offset, false);
    } else if constexpr (described_enum<T>) {
        add_text(boost::describe::enum_to_string(value, ""));
    } else if constexpr (std::same_as<T, uuid>) {
        add_uuid(value);
    } else if constexpr (std::convertible_to<const T&, timestamp>) {
        add_timestamp(value);
    } else if constexpr (std::convertible_to<const T&, std::span<const std::uint8_t>>) {
        add_bytes(value);
    } else {
        add_array(std::span<const typename T::value_type>(value));
    }
}

template <number T>
void params::append_number(T value)
{
    char digits[32];
    auto end = std::to_chars(digits, digits + sizeof digits, value).ptr;
    bytes_.append(digits, end);
}

template <class T>
    requires std::convertible_to<const T&, std::string_view>
void params::add_array(std::span<const T> values)
{
    auto offset = bytes_.size();
    char separator = '{';
    for (const auto& value : values) {
        bytes_ += std::exchange(separator, ',');
        append_quoted(value);
    }
    bytes_ += values.empty() ? "{}" : "}";
    finish_value(offset, false);
}

template <number T>
void params::add_array(std::span<const T> values)
{
    auto offset = bytes_.size();
    char separator = '{';
    for (auto value : values) {
        bytes_ += std::exchange(separator, ',');
        append_number(value);
    }
    bytes_ += values.empty() ? "{}" : "}";
    finish_value(offset, false);
}

} // namespace db
