// The walk: a described struct is parsed, checked, written and documented by going through its members.
// What a member may hold is told by its type alone, through `rule<T>`; no second table exists.
#pragma once

#include "schemas/engine/fault.hpp"
#include "schemas/engine/json.hpp"
#include "schemas/engine/openapi.hpp"

#include <boost/describe/enumerators.hpp>
#include <boost/describe/members.hpp>
#include <boost/mp11/algorithm.hpp>

#include <array>
#include <concepts>
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

namespace schemas {

// What a type is on the wire. Every member type T has a specialisation with
//
//     static std::optional<T> parse(const boost::json::value&, const path&, fault_list&);
//     static void write(std::string&, const T&);
//     static boost::json::object openapi(openapi_context&);
//
// and, where they make sense,
//
//     // for values of queries and forms
//     static std::optional<T> parse_text(std::string_view, const path&, fault_list&);
//     // the value of a member that was not sent; without this, such a member is missing
//     static T absent();
//     // whether the member is not written at all
//     static bool is_left_out(const T&);
//
// `parse` and `parse_text` return nothing exactly if they added a fault.
template <class T>
struct rule;

template <class T>
concept described_struct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

template <class T>
concept described_enum = std::is_enum_v<T> && boost::describe::has_describe_enumerators<T>::value;

template <class T>
concept may_be_absent = requires {
    { rule<T>::absent() } -> std::same_as<T>;
};

enum class verdict { ok, malformed_json, invalid };

/** The outcome of parsing: a value, or why there is none.
    `malformed_json` (400) has no faults; `invalid` (422) lists every fault. */
template <class T>
struct parsed {
    verdict status = verdict::ok;
    std::optional<T> value;
    std::vector<fault> faults;

    explicit operator bool() const { return status == verdict::ok; }
};

/** Names and values of a query string or a form, already percent-decoded. */
using text_pairs = std::span<const std::pair<std::string, std::string>>;

// ---- entry points

/** Check a JSON value that is already in memory, as the arguments of a tool call are.
    @param root the first step of every fault's location */
template <class T>
parsed<T> parse_value(const boost::json::value& in, std::string_view root);

/** Read a JSON body strictly (see `document`) and check it against `T`, gathering all faults in one pass. */
template <class T>
parsed<T> parse_body(std::string_view json_text);

/** Check decoded pairs against `T`. A name given twice is a fault; a name that `T` does not have is ignored,
    unless `T` says `static constexpr bool refuses_strangers = true`. */
template <class T>
parsed<T> parse_pairs(text_pairs pairs, std::string_view root);

template <class T>
parsed<T> parse_query(text_pairs pairs)
{
    return parse_pairs<T>(pairs, "query");
}

template <class T>
parsed<T> parse_form(text_pairs pairs)
{
    return parse_pairs<T>(pairs, "body");
}

/** Append `value` as compact JSON, without any tree in between. Strings in it must be UTF-8. */
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

// ---- faults that many rules share

/** @return the string inside `in`, or null and a `string_type` fault; likewise the two below */
const boost::json::string* expect_string(const boost::json::value& in, const path& at, fault_list& faults);
const boost::json::object* expect_object(const boost::json::value& in, const path& at, fault_list& faults);
const boost::json::array* expect_array(const boost::json::value& in, const path& at, fault_list& faults);

void add_missing(const path& at, fault_list& faults);
void add_not_one_of(const path& at, std::span<const std::string_view> names, fault_list& faults);
void add_repeated(const path& at, fault_list& faults);
void refuse_unknown(const boost::json::object& in, std::span<const std::string_view> names, const path& at,
                    fault_list& faults);
void refuse_unknown(text_pairs in, std::span<const std::string_view> names, const path& at,
                    fault_list& faults);

// ---- structs

template <described_struct T>
using members_of = boost::describe::describe_members<T, boost::describe::mod_public>;

template <described_struct T>
constexpr auto member_names = []<template <class...> class List, class... D>(List<D...>) {
    return std::array<std::string_view, sizeof...(D)>{D::name...};
}(members_of<T>{});

template <class T, class D>
using member_type = std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>;

/** The member's name as it opens each `"name":value`, made at compile time. */
template <class D>
constexpr auto member_opening = [] {
    constexpr std::string_view name = D::name;
    std::array<char, name.size() + 3> out{};
    std::size_t n = 0;
    out[n++] = '"';
    for (char c : name)
        out[n++] = c;
    out[n++] = '"';
    out[n++] = ':';
    return out;
}();

template <described_struct T>
struct rule<T> {
    static std::optional<T> parse(const boost::json::value& in, const path& at, fault_list& faults)
    {
        const auto* object = expect_object(in, at, faults);
        if (!object)
            return std::nullopt;

        T out{};
        std::size_t known = 0;
        const std::size_t before = faults.count();
        boost::mp11::mp_for_each<members_of<T>>([&]<class D>(D) {
            using M = member_type<T, D>;
            const path here{at, D::name};
            if (const auto* member = object->if_contains(D::name)) {
                ++known;
                if (auto value = rule<M>::parse(*member, here, faults))
                    out.*D::pointer = std::move(*value);
            } else if constexpr (may_be_absent<M>) {
                out.*D::pointer = rule<M>::absent();
            } else {
                add_missing(here, faults);
            }
        });
        if (known != object->size())
            refuse_unknown(*object, member_names<T>, at, faults);
        if (faults.count() != before)
            return std::nullopt;
        return out;
    }

    static void write(std::string& out, const T& value)
    {
        out += '{';
        boost::mp11::mp_for_each<members_of<T>>([&]<class D>(D) {
            using M = member_type<T, D>;
            const M& member = value.*D::pointer;
            if constexpr (requires { rule<M>::is_left_out(member); }) {
                if (rule<M>::is_left_out(member))
                    return;
            }
            out.append(member_opening<D>.data(), member_opening<D>.size());
            rule<M>::write(out, member);
            out += ',';
        });
        // Every member ends with a comma: the last one becomes the closing brace.
        if (out.back() == ',')
            out.back() = '}';
        else
            out += '}';
    }

    static boost::json::object openapi(openapi_context& cx)
    {
        object_schema schema;
        boost::mp11::mp_for_each<members_of<T>>([&]<class D>(D) {
            using M = member_type<T, D>;
            bool always_there = false;
            if (cx.way() == direction::request)
                always_there = !may_be_absent<M>;
            else
                always_there = !requires(const M& m) { rule<M>::is_left_out(m); };
            schema.add(D::name, rule<M>::openapi(cx), always_there);
        });
        return cx.place(schema_name<T>(), std::move(schema).take());
    }
};

// ---- enums: the enumerators' names are the wire's words

template <described_enum E>
constexpr auto enum_names = []<template <class...> class List, class... D>(List<D...>) {
    return std::array<std::string_view, sizeof...(D)>{D::name...};
}(boost::describe::describe_enumerators<E>{});

/** @return the enumerator's name as it stands on the wire and in the database; empty if `value` is none */
template <described_enum E>
constexpr std::string_view to_text(E value)
{
    std::string_view out;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&]<class D>(D) {
        if (D::value == value)
            out = D::name;
    });
    return out;
}

template <described_enum E>
constexpr std::optional<E> from_text(std::string_view text)
{
    std::optional<E> out;
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<E>>([&]<class D>(D) {
        if (text == D::name)
            out = D::value;
    });
    return out;
}

template <described_enum E>
struct rule<E> {
    static std::optional<E> parse(const boost::json::value& in, const path& at, fault_list& faults)
    {
        const auto* text = expect_string(in, at, faults);
        return text ? parse_text(*text, at, faults) : std::nullopt;
    }

    static std::optional<E> parse_text(std::string_view text, const path& at, fault_list& faults)
    {
        auto value = from_text<E>(text);
        if (!value)
            add_not_one_of(at, enum_names<E>, faults);
        return value;
    }

    static void write(std::string& out, E value) { write_string(out, to_text(value)); }
    static boost::json::object openapi(openapi_context&) { return enum_schema(enum_names<E>); }
};

// ---- the entry points' bodies

template <class T>
parsed<T> parse_value(const boost::json::value& in, std::string_view root)
{
    fault_list faults;
    parsed<T> out;
    out.value = rule<T>::parse(in, path{root}, faults);
    if (!out.value)
        out.status = verdict::invalid;
    out.faults = faults.take();
    return out;
}

template <class T>
parsed<T> parse_body(std::string_view json_text)
{
    const document read{json_text};
    if (!read.root())
        return {.status = verdict::malformed_json, .value = std::nullopt, .faults = {}};
    return parse_value<T>(*read.root(), "body");
}

template <class T>
parsed<T> parse_pairs(text_pairs pairs, std::string_view root)
{
    fault_list faults;
    const path at{root};
    T value{};
    boost::mp11::mp_for_each<members_of<T>>([&]<class D>(D) {
        using M = member_type<T, D>;
        const path here{at, D::name};
        const std::string* text = nullptr;
        for (const auto& pair : pairs) {
            if (pair.first != D::name)
                continue;
            if (text)
                return add_repeated(here, faults);
            text = &pair.second;
        }
        if (text) {
            if (auto member = rule<M>::parse_text(*text, here, faults))
                value.*D::pointer = std::move(*member);
        } else if constexpr (may_be_absent<M>) {
            value.*D::pointer = rule<M>::absent();
        } else {
            add_missing(here, faults);
        }
    });
    if constexpr (requires { requires T::refuses_strangers; })
        refuse_unknown(pairs, member_names<T>, at, faults);
    if (faults.count() > 0)
        return {.status = verdict::invalid, .value = std::nullopt, .faults = faults.take()};
    return {.status = verdict::ok, .value = std::move(value), .faults = {}};
}

} // namespace schemas

#include "schemas/engine/builtin_rules.hpp"
