// Reflection over the members of a described struct (Boost.Describe), as type-erased tables.
//
// The loops over members are ordinary functions over these tables. The templates below only fill the tables,
// and their functions are shared by all members of one type: this is what keeps compile times and code size
// low.
#pragma once

#include "schemas/engine/rule.hpp"

#include <boost/describe/members.hpp>

#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <type_traits>
#include <typeinfo>
#include <utility>

namespace schemas {

template <class T>
concept described_struct = std::is_class_v<T> && boost::describe::has_describe_members<T>::value;

/// Its own and those of its described bases.
template <described_struct T>
using members_of =
    boost::describe::describe_members<T, boost::describe::mod_public | boost::describe::mod_inherited>;

template <class T, class D>
using member_type = std::remove_cvref_t<decltype(std::declval<T&>().*D::pointer)>;

template <described_struct T>
constexpr auto member_names = []<template <class...> class List, class... D>(List<D...>) {
    return std::array<std::string_view, sizeof...(D)>{D::name...};
}(members_of<T>{});

/// The addresses of the members, in the order of every table.
template <class T>
auto member_addresses(T& object)
{
    using address = std::conditional_t<std::is_const_v<T>, const void*, void*>;
    return [&]<template <class...> class List, class... D>(List<D...>) {
        return std::array<address, sizeof...(D)>{&(object.*D::pointer)...};
    }(members_of<std::remove_const_t<T>>{});
}

// ---- parsing JSON

struct member_parser {
    std::string_view name;
    void (*parse)(void* member, const boost::json::value& in, const path& at, validation_errors& errors);
    bool is_optional;
};

template <class M>
void parse_member(void* member, const boost::json::value& in, const path& at, validation_errors& errors)
{
    auto& to = *static_cast<M*>(member);
    if constexpr (requires { rule<M>::parse_into(to, in, at, errors); })
        rule<M>::parse_into(to, in, at, errors);
    else if (auto value = rule<M>::parse(in, at, errors))
        to = std::move(*value);
}

template <described_struct T>
constexpr auto member_parsers = []<template <class...> class List, class... D>(List<D...>) {
    return std::array<member_parser, sizeof...(D)>{
        member_parser{D::name, &parse_member<member_type<T, D>>, optional_member<member_type<T, D>>}...};
}(members_of<T>{});

/** Parse a JSON object into the members of a struct.
    @param members their addresses
    @return whether it is valid; if not, errors were added */
bool parse_members(const boost::json::value& in, void* const* members, std::span<const member_parser> parsers,
                   const path& at, validation_errors& errors);

// ---- parsing text pairs

struct member_text_parser {
    std::string_view name;
    void (*parse)(void* member, std::string_view in, const path& at, validation_errors& errors);
    bool is_optional;
};

template <class M>
void parse_member_text(void* member, std::string_view in, const path& at, validation_errors& errors)
{
    auto& to = *static_cast<M*>(member);
    if constexpr (requires { rule<M>::parse_text_into(to, in, at, errors); })
        rule<M>::parse_text_into(to, in, at, errors);
    else if (auto value = rule<M>::parse_text(in, at, errors))
        to = std::move(*value);
}

template <described_struct T>
constexpr auto member_text_parsers = []<template <class...> class List, class... D>(List<D...>) {
    return std::array<member_text_parser, sizeof...(D)>{member_text_parser{
        D::name, &parse_member_text<member_type<T, D>>, optional_member<member_type<T, D>>}...};
}(members_of<T>{});

enum class unknown_fields { ignore, deny };

/// parse_members() for text pairs. A repeated name is an error.
bool parse_text_members(text_pairs in, void* const* members, std::span<const member_text_parser> parsers,
                        unknown_fields unknown, const path& at, validation_errors& errors);

// ---- writing JSON

struct member_writer {
    /// `"name":`
    std::string_view key;
    void (*write)(std::string& out, const void* member);
    /// Null if the member is always written.
    bool (*is_omitted)(const void* member);
};

/// The key of a member as it is written, built at compile time.
template <class D>
constexpr auto member_key = [] {
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

template <class M>
void write_member(std::string& out, const void* member)
{
    rule<M>::write(out, *static_cast<const M*>(member));
}

template <class M>
bool is_member_omitted(const void* member)
{
    return rule<M>::is_omitted(*static_cast<const M*>(member));
}

template <class M>
constexpr bool (*omission_of())(const void*)
{
    if constexpr (omittable_member<M>)
        return &is_member_omitted<M>;
    else
        return nullptr;
}

template <described_struct T>
constexpr auto member_writers = []<template <class...> class List, class... D>(List<D...>) {
    return std::array<member_writer, sizeof...(D)>{
        member_writer{std::string_view(member_key<D>.data(), member_key<D>.size()),
                      &write_member<member_type<T, D>>, omission_of<member_type<T, D>>()}...};
}(members_of<T>{});

/// Append the members of a struct as a JSON object.
void write_members(std::string& out, const void* const* members, std::span<const member_writer> writers);

// ---- documenting

struct member_schema {
    std::string_view name;
    boost::json::object (*openapi)(openapi_context&);
    /// Whether a request may lack the member.
    bool is_optional;
    /// Whether a response may lack the member.
    bool is_omittable;
};

template <described_struct T>
constexpr auto member_schemas = []<template <class...> class List, class... D>(List<D...>) {
    return std::array<member_schema, sizeof...(D)>{member_schema{D::name, &rule<member_type<T, D>>::openapi,
                                                                 optional_member<member_type<T, D>>,
                                                                 omittable_member<member_type<T, D>>}...};
}(members_of<T>{});

/// The schema of a struct, or a reference to it if the context collects components.
boost::json::object describe_members(openapi_context& cx, const std::type_info& type,
                                     std::span<const member_schema> members);

} // namespace schemas
