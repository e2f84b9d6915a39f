// The rules of plain types: what presence, lists, strings, numbers, ids and instants are on the wire.
// Included by rule.hpp, which is the header to include.
#pragma once

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

/** A type that is read from text: `read` makes it or adds one fault. */
template <class T>
concept read_from_text = requires(std::string_view in, const path& at, fault_list& faults) {
    { T::read(in, at, faults) } -> std::same_as<std::optional<T>>;
};

/** One that JSON carries too: `view` gives the text back as it was typed. */
template <class T>
concept checked_text = read_from_text<T> && requires(const T& text) {
    { text.view() } -> std::convertible_to<std::string_view>;
    { T::openapi() } -> std::same_as<boost::json::object>;
};

template <read_from_text T>
struct rule<T> {
    static std::optional<T> parse(const boost::json::value& in, const path& at, fault_list& faults)
    {
        const auto* text = expect_string(in, at, faults);
        return text ? T::read(*text, at, faults) : std::nullopt;
    }

    static std::optional<T> parse_text(std::string_view in, const path& at, fault_list& faults)
    {
        return T::read(in, at, faults);
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
    using optional = std::optional<T>;

    static std::optional<optional> parse(const boost::json::value& in, const path& at, fault_list& faults)
    {
        if (in.is_null())
            return std::optional<optional>{std::in_place};
        return wrap(rule<T>::parse(in, at, faults));
    }

    static std::optional<optional> parse_text(std::string_view in, const path& at, fault_list& faults)
    {
        return wrap(rule<T>::parse_text(in, at, faults));
    }

    static optional absent() { return {}; }

    static void write(std::string& out, const optional& value)
    {
        if (value)
            rule<T>::write(out, *value);
        else
            out += "null";
    }

    static boost::json::object openapi(openapi_context& cx) { return nullable_schema(rule<T>::openapi(cx)); }

private:
    static std::optional<optional> wrap(std::optional<T> value)
    {
        if (!value)
            return std::nullopt;
        return std::optional<optional>{std::in_place, std::move(value)};
    }
};

template <class T>
struct rule<omittable<T>> {
    static std::optional<omittable<T>> parse(const boost::json::value& in, const path& at, fault_list& faults)
    {
        return wrap(rule<T>::parse(in, at, faults));
    }

    static std::optional<omittable<T>> parse_text(std::string_view in, const path& at, fault_list& faults)
    {
        return wrap(rule<T>::parse_text(in, at, faults));
    }

    static omittable<T> absent() { return {}; }
    static bool is_left_out(const omittable<T>& value) { return !value.has_value(); }
    static void write(std::string& out, const omittable<T>& value) { rule<T>::write(out, *value); }
    static boost::json::object openapi(openapi_context& cx) { return rule<T>::openapi(cx); }

private:
    static std::optional<omittable<T>> wrap(std::optional<T> value)
    {
        if (!value)
            return std::nullopt;
        return std::optional<omittable<T>>{std::in_place, std::move(*value)};
    }
};

template <class T>
struct rule<clearable<T>> {
    static std::optional<clearable<T>> parse(const boost::json::value& in, const path& at, fault_list& faults)
    {
        if (in.is_null())
            return clearable<T>{std::nullopt};
        auto value = rule<T>::parse(in, at, faults);
        if (!value)
            return std::nullopt;
        return clearable<T>{std::move(*value)};
    }

    static clearable<T> absent() { return {}; }
    static bool is_left_out(const clearable<T>& value) { return value.is_absent(); }

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

/** A list with from `Min` to `Max` items. */
template <class T, std::size_t Min, std::size_t Max>
struct bounded_list : std::vector<T> {
    using std::vector<T>::vector;
};

/** @return whether the size is allowed; if not, a fault was added */
bool check_list_size(std::size_t size, std::size_t min, std::size_t max, const path& at, fault_list& faults);

template <class List, std::size_t Min, std::size_t Max>
struct list_rule {
    using item = typename List::value_type;

    static std::optional<List> parse(const boost::json::value& in, const path& at, fault_list& faults)
    {
        const auto* array = expect_array(in, at, faults);
        if (!array || !check_list_size(array->size(), Min, Max, at, faults))
            return std::nullopt;
        List out;
        out.reserve(array->size());
        for (std::size_t i = 0; i < array->size(); ++i) {
            if (auto value = rule<item>::parse((*array)[i], path{at, i}, faults))
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

/** Any text: for what the server says, and for opaque values that a handler judges by itself. */
template <>
struct rule<std::string> {
    static std::optional<std::string> parse(const boost::json::value& in, const path& at, fault_list& faults);
    static std::optional<std::string> parse_text(std::string_view in, const path&, fault_list&)
    {
        return std::string(in);
    }
    static void write(std::string& out, const std::string& text) { write_string(out, text); }
    static boost::json::object openapi(openapi_context&);
};

template <>
struct rule<bool> {
    static std::optional<bool> parse(const boost::json::value& in, const path& at, fault_list& faults);
    static std::optional<bool> parse_text(std::string_view in, const path& at, fault_list& faults);
    static void write(std::string& out, bool value) { out += value ? "true" : "false"; }
    static boost::json::object openapi(openapi_context&);
};

/** @return the whole number in `in` or `text` if it lies in the range; adds a fault otherwise.
    A JSON number with a zero fraction (5.0, 1e2) is a whole number, as JSON Schema has it. */
std::optional<std::int64_t> parse_integer(const boost::json::value& in, std::int64_t min, std::int64_t max,
                                          const path& at, fault_list& faults);
std::optional<std::int64_t> parse_integer(std::string_view text, std::int64_t min, std::int64_t max,
                                          const path& at, fault_list& faults);
boost::json::object integer_schema(std::int64_t min, std::int64_t max);

template <>
struct rule<std::int64_t> {
    static constexpr std::int64_t min = std::numeric_limits<std::int64_t>::min();
    static constexpr std::int64_t max = std::numeric_limits<std::int64_t>::max();

    static std::optional<std::int64_t> parse(const boost::json::value& in, const path& at, fault_list& faults)
    {
        return parse_integer(in, min, max, at, faults);
    }
    static void write(std::string& out, std::int64_t number) { write_integer(out, number); }
    static boost::json::object openapi(openapi_context&) { return integer_schema(min, max); }
};

/** @return the id, if `text` is a UUID's 36-character form, in either case */
std::optional<boost::uuids::uuid> parse_uuid(std::string_view text);
void append_uuid(std::string& out, const boost::uuids::uuid& id);

template <>
struct rule<boost::uuids::uuid> {
    static std::optional<boost::uuids::uuid> parse(const boost::json::value& in, const path& at,
                                                   fault_list& faults);
    static std::optional<boost::uuids::uuid> parse_text(std::string_view in, const path& at,
                                                        fault_list& faults);
    static void write(std::string& out, const boost::uuids::uuid& id);
    static boost::json::object openapi(openapi_context&);
};

template <>
struct rule<timestamp> {
    static std::optional<timestamp> parse(const boost::json::value& in, const path& at, fault_list& faults);
    static std::optional<timestamp> parse_text(std::string_view in, const path& at, fault_list& faults);
    static void write(std::string& out, timestamp at);
    static boost::json::object openapi(openapi_context&);
};

/** One step of a fault's location; never parsed. */
template <>
struct rule<step> {
    static void write(std::string& out, const step& value);
    static boost::json::object openapi(openapi_context&);
};

/** JSON that was checked when it was stored, such as the details of an audit row; written as it is. */
struct raw_json {
    std::string text = "null";
};

template <>
struct rule<raw_json> {
    static void write(std::string& out, const raw_json& value) { out += value.text; }
    static boost::json::object openapi(openapi_context&) { return {}; }
};

} // namespace schemas
