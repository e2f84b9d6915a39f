// Rules of built-in types: presence wrappers, lists, strings, booleans, integers, ids and timestamps.
#pragma once

#include "schemas/engine/json.hpp"
#include "schemas/engine/presence.hpp"
#include "schemas/engine/rule.hpp"
#include "schemas/engine/timestamp.hpp"

#include <boost/uuid/uuid.hpp>

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace schemas {

// ---- types parsed from text

/// A type with a parser of its own: `read` returns a value, or nothing after adding one error.
template <class T>
concept read_from_text = requires(std::string_view in, const path& at, validation_errors& errors) {
    { T::read(in, at, errors) } -> std::same_as<std::optional<T>>;
};

/// One that can also be written: `view` returns the text.
template <class T>
concept checked_text = read_from_text<T> && requires(const T& text) {
    { text.view() } -> std::convertible_to<std::string_view>;
    { T::openapi() } -> std::same_as<boost::json::object>;
};

template <read_from_text T>
struct rule<T> {
    static std::optional<T> parse(const boost::json::value& in, const path& at, validation_errors& errors)
    {
        const auto* text = expect_string(in, at, errors);
        return text ? T::read(*text, at, errors) : std::nullopt;
    }

    static std::optional<T> parse_text(std::string_view in, const path& at, validation_errors& errors)
    {
        return T::read(in, at, errors);
    }

    static void write(std::string& out, const T& text)
        requires checked_text<T>
    {
        write_string(out, text.view());
    }
    static boost::json::object openapi(openapi_context&)
        requires checked_text<T>
    {
        return T::openapi();
    }
};

// ---- presence

template <class T>
struct rule<std::optional<T>> {
    static constexpr bool is_optional = true;

    static void parse_into(std::optional<T>& to, const boost::json::value& in, const path& at,
                           validation_errors& errors)
    {
        if (in.is_null())
            to.reset();
        else
            to = rule<T>::parse(in, at, errors);
    }

    static void parse_text_into(std::optional<T>& to, std::string_view in, const path& at,
                                validation_errors& errors)
    {
        to = rule<T>::parse_text(in, at, errors);
    }

    static void write(std::string& out, const std::optional<T>& value)
    {
        if (value)
            rule<T>::write(out, *value);
        else
            out += "null";
    }

    static boost::json::object openapi(openapi_context& cx) { return nullable_schema(rule<T>::openapi(cx)); }
};

template <class T>
struct rule<omittable<T>> {
    static constexpr bool is_optional = true;

    static void parse_into(std::optional<T>& to, const boost::json::value& in, const path& at,
                           validation_errors& errors)
    {
        to = rule<T>::parse(in, at, errors);
    }

    static void parse_text_into(std::optional<T>& to, std::string_view in, const path& at,
                                validation_errors& errors)
    {
        to = rule<T>::parse_text(in, at, errors);
    }

    static bool is_omitted(const omittable<T>& value) { return !value.has_value(); }
    static void write(std::string& out, const omittable<T>& value) { rule<T>::write(out, *value); }
    static boost::json::object openapi(openapi_context& cx) { return rule<T>::openapi(cx); }
};

template <class T>
struct rule<clearable<T>> {
    static constexpr bool is_optional = true;

    static void parse_into(clearable<T>& to, const boost::json::value& in, const path& at,
                           validation_errors& errors)
    {
        if (in.is_null())
            to = std::nullopt;
        else if (auto value = rule<T>::parse(in, at, errors))
            to = std::move(*value);
    }

    static bool is_omitted(const clearable<T>& value) { return value.is_absent(); }

    static void write(std::string& out, const clearable<T>& value)
    {
        if (value.has_value())
            rule<T>::write(out, *value);
        else
            out += "null";
    }

    static boost::json::object openapi(openapi_context& cx) { return nullable_schema(rule<T>::openapi(cx)); }
};

// ---- lists

/// A list of `Min` to `Max` items.
template <class T, std::size_t Min, std::size_t Max>
struct bounded_list : std::vector<T> {
    using std::vector<T>::vector;
};

/// @return whether the size is allowed; if not, an error was added
bool check_list_size(std::size_t size, std::size_t min, std::size_t max, const path& at,
                     validation_errors& errors);

template <class List, std::size_t Min, std::size_t Max>
struct list_rule {
    using item = typename List::value_type;

    static std::optional<List> parse(const boost::json::value& in, const path& at, validation_errors& errors)
    {
        const auto* array = expect_array(in, at, errors);
        if (!array || !check_list_size(array->size(), Min, Max, at, errors))
            return std::nullopt;
        List out;
        out.reserve(array->size());
        for (std::size_t i = 0; i < array->size(); ++i) {
            if (auto value = rule<item>::parse((*array)[i], path{at, i}, errors))
                out.push_back(std::move(*value));
        }
        if (out.size() != array->size())
            return std::nullopt;
        return out;
    }

    static void write(std::string& out, const List& list)
    {
        out += '[';
        for (const auto& value : list) {
            rule<item>::write(out, value);
            out += ',';
        }
        if (list.empty())
            out += ']';
        else
            out.back() = ']';
    }

    static boost::json::object openapi(openapi_context& cx)
    {
        return list_schema(rule<item>::openapi(cx), Min, Max);
    }
};

template <class T>
struct rule<std::vector<T>> : list_rule<std::vector<T>, 0, unlimited> {};

template <class T, std::size_t Min, std::size_t Max>
struct rule<bounded_list<T, Min, Max>> : list_rule<bounded_list<T, Min, Max>, Min, Max> {};

// ---- single values

/// Any text: for responses, and for opaque values that the handler checks.
template <>
struct rule<std::string> {
    static std::optional<std::string> parse(const boost::json::value& in, const path& at,
                                            validation_errors& errors);
    static std::optional<std::string> parse_text(std::string_view in, const path&, validation_errors&)
    {
        return std::string(in);
    }
    static void write(std::string& out, const std::string& text) { write_string(out, text); }
    static boost::json::object openapi(openapi_context&);
};

template <>
struct rule<bool> {
    static std::optional<bool> parse(const boost::json::value& in, const path& at, validation_errors& errors);
    static std::optional<bool> parse_text(std::string_view in, const path& at, validation_errors& errors);
    static void write(std::string& out, bool value) { out += value ? "true" : "false"; }
    static boost::json::object openapi(openapi_context&);
};

/** Parse an integer within a range.
    @return nothing after adding an error. A JSON number with a zero fraction (5.0, 1e2) is an integer, as in
    JSON Schema. */
std::optional<std::int64_t> parse_integer(const boost::json::value& in, std::int64_t min, std::int64_t max,
                                          const path& at, validation_errors& errors);
std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max,
                                          const path& at, validation_errors& errors);
boost::json::object integer_schema(std::int64_t min, std::int64_t max);

template <>
struct rule<std::int64_t> {
    static constexpr std::int64_t min = std::numeric_limits<std::int64_t>::min();
    static constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();

    static std::optional<std::int64_t> parse(const boost::json::value& in, const path& at,
                                             validation_errors& errors)
    {
        return parse_integer(in, min, max, at, errors);
    }
    static void write(std::string& out, std::int64_t number) { write_integer(out, number); }
    static boost::json::object openapi(openapi_context&) { return integer_schema(min, max); }
};

/// @return nothing unless `text` is the 36-character form of a UUID, in either case
std::optional<boost::uuids::uuid> parse_uuid(std::string_view text);
void append_uuid(std::string& out, const boost::uuids::uuid& id);

template <>
struct rule<boost::uuids::uuid> {
    static std::optional<boost::uuids::uuid> parse(const boost::json::value& in, const path& at,
                                                   validation_errors& errors);
    static std::optional<boost::uuids::uuid> parse_text(std::string_view in, const path& at,
                                                        validation_errors& errors);
    static void write(std::string& out, const boost::uuids::uuid& id);
    static boost::json::object openapi(openapi_context&);
};

template <>
struct rule<timestamp> {
    static std::optional<timestamp> parse(const boost::json::value& in, const path& at,
                                          validation_errors& errors);
    static std::optional<timestamp> parse_text(std::string_view in, const path& at,
                                               validation_errors& errors);
    static void write(std::string& out, timestamp at);
    static boost::json::object openapi(openapi_context&);
};

/// One step of an error's location; write only.
template <>
struct rule<step> {
    static void write(std::string& out, const step& value);
    static boost::json::object openapi(openapi_context&);
};

/// JSON text that is already validated, such as the details of an audit event. Written verbatim.
struct raw_json {
    std::string text = "null";
};

template <>
struct rule<raw_json> {
    static void write(std::string& out, const raw_json& value) { out += value.text; }
    static boost::json::object openapi(openapi_context&) { return {}; }
};

} // namespace schemas
