// Schemas: a described struct is a schema. Parsing, validation, writing and documentation use its members.
#pragma once

#include "schemas/engine/builtin_rules.hpp"
#include "schemas/engine/json.hpp"
#include "schemas/engine/members.hpp"
#include "schemas/engine/rule.hpp"

#include <boost/describe/enumerators.hpp>

#include <array>
#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

namespace schemas {

enum class parse_status { ok, malformed_json, invalid };

/** The result of parsing: a value, or the reason why there is none. `malformed_json` (400) comes without
    errors, `invalid` (422) with all of them. */
template <class T>
struct parsed {
    parse_status status = parse_status::ok;
    std::optional<T> value;
    std::vector<validation_error> errors;

    explicit operator bool() const { return status == parse_status::ok; }
};

// ---- structs

template <described_struct T>
struct rule<T> {
    static std::optional<T> parse(const boost::json::value& in, const path& at, validation_errors& errors)
    {
        std::optional<T> out(std::in_place);
        if (!parse_members(in, member_addresses(*out).data(), member_parsers<T>, at, errors))
            out.reset();
        return out;
    }

    static void write(std::string& out, const T& value)
    {
        write_members(out, member_addresses(value).data(), member_writers<T>);
    }

    static boost::json::object openapi(openapi_context& cx)
    {
        return describe_members(cx, typeid(T), member_schemas<T>);
    }
};

// ---- enums: the names of the enumerators are the values on the wire

template <class T>
concept described_enum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <described_enum E>
constexpr auto enum_names = []<template <class...> class List, class... D>(List<D...>) {
    return std::array<std::string_view, sizeof...(D)>{D::name...};
}(boost::describe::describe_enumerators<E>{});

template <described_enum E>
constexpr auto enum_values = []<template <class...> class List, class... D>(List<D...>) {
    return std::array<E, sizeof...(D)>{D::value...};
}(boost::describe::describe_enumerators<E>{});

/// @return the enumerator's name, as used on the wire and in the database; empty if `value` is none of them
template <described_enum E>
constexpr std::string_view to_text(E value)
{
    for (std::size_t i = 0; i < enum_values<E>.size(); ++i) {
        if (enum_values<E>[i] == value)
            return enum_names<E>[i];
    }
    return {};
}

template <described_enum E>
constexpr std::optional<E> from_text(std::string_view text)
{
    for (std::size_t i = 0; i < enum_names<E>.size(); ++i) {
        if (enum_names<E>[i] == text)
            return enum_values<E>[i];
    }
    return std::nullopt;
}

template <described_enum E>
struct rule<E> {
    static std::optional<E> parse(const boost::json::value& in, const path& at, validation_errors& errors)
    {
        const auto* text = expect_string(in, at, errors);
        return text ? parse_text(*text, at, errors) : std::nullopt;
    }

    static std::optional<E> parse_text(std::string_view text, const path& at, validation_errors& errors)
    {
        auto value = from_text<E>(text);
        if (!value)
            add_not_one_of(at, enum_names<E>, errors);
        return value;
    }

    static void write(std::string& out, E value) { write_string(out, to_text(value)); }
    static boost::json::object openapi(openapi_context&) { return enum_schema(enum_names<E>); }
};

// ---- parsing

/** Validate a JSON value in memory, such as the arguments of a tool call.
    @param root the first step in the location of every error */
template <class T>
parsed<T> parse_value(const boost::json::value& in, std::string_view root)
{
    validation_errors errors;
    parsed<T> out;
    out.value = rule<T>::parse(in, path{root}, errors);
    if (!out.value)
        out.status = parse_status::invalid;
    out.errors = errors.take();
    return out;
}

/// Parse a JSON body strictly (see json_document) and validate it, collecting all errors in one pass.
template <class T>
parsed<T> parse_body(std::string_view json_text)
{
    const json_document read{json_text};
    if (read.root())
        return parse_value<T>(*read.root(), "body");
    parsed<T> out;
    out.status = parse_status::malformed_json;
    return out;
}

/** Validate decoded pairs. A repeated name is an error. Unknown names are ignored, unless `T` has
    `static constexpr bool deny_unknown_fields = true`. */
template <described_struct T>
parsed<T> parse_pairs(text_pairs pairs, std::string_view root)
{
    constexpr bool deny = requires { requires T::deny_unknown_fields; };
    validation_errors errors;
    parsed<T> out;
    out.value.emplace();
    if (!parse_text_members(pairs, member_addresses(*out.value).data(), member_text_parsers<T>,
                            deny ? unknown_fields::deny : unknown_fields::ignore, path{root}, errors)) {
        out.value.reset();
        out.status = parse_status::invalid;
    }
    out.errors = errors.take();
    return out;
}

template <described_struct T>
parsed<T> parse_query(text_pairs pairs)
{
    return parse_pairs<T>(pairs, "query");
}

template <described_struct T>
parsed<T> parse_form(text_pairs pairs)
{
    return parse_pairs<T>(pairs, "body");
}

// ---- writing

/// Append `value` as compact JSON, without an intermediate tree. Its strings must be UTF-8.
template <class T>
void append_json(std::string& out, const T& value)
{
    rule<T>::write(out, value);
}

template <class T>
std::string to_json(const T& value)
{
    std::string out;
    append_json(out, value);
    return out;
}

} // namespace schemas
