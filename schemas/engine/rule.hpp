// Rules: how the values of a type are parsed, validated, written and documented. The type of a member is its
// rule; there is no second table of constraints.
#pragma once

#include "schemas/engine/openapi.hpp"
#include "schemas/engine/validation_error.hpp"

#include <boost/json/value.hpp>

#include <concepts>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace schemas {

// The rule of a type. Each member type T has a specialization with
//
//     static std::optional<T> parse(const boost::json::value&, const path&, validation_errors&);
//     static void write(std::string&, const T&);
//     static boost::json::object openapi(openapi_context&);
//
// and, where it applies,
//
//     // for query strings and forms
//     static std::optional<T> parse_text(std::string_view, const path&, validation_errors&);
//     // a member of this type may be absent, and keeps its default value then
//     static constexpr bool is_optional = true;
//     // whether to omit the member when writing
//     static bool is_omitted(const T&);
//
// `parse` and `parse_text` return nothing exactly if they added an error. A rule that wraps another one has
// `parse_into` and `parse_text_into` instead, with the target as their first parameter: it spares a nested
// std::optional.
template <class T>
struct rule;

template <class T>
concept optional_member = requires { requires rule<T>::is_optional; };

template <class T>
concept omittable_member = requires(const T& value) {
    { rule<T>::is_omitted(value) } -> std::same_as<bool>;
};

/// Names and values of a query string or a form, percent-decoded.
using text_pairs = std::span<const std::pair<std::string, std::string>>;

// ---- type checks and errors shared by several rules

/// @return the string in `in`, or null after adding a `string_type` error
const boost::json::string* expect_string(const boost::json::value& in, const path& at,
                                         validation_errors& errors);
/// @return the object in `in`, or null after adding a `dict_type` error
const boost::json::object* expect_object(const boost::json::value& in, const path& at,
                                         validation_errors& errors);
/// @return the array in `in`, or null after adding a `list_type` error
const boost::json::array* expect_array(const boost::json::value& in, const path& at,
                                       validation_errors& errors);

void add_not_one_of(const path& at, std::span<const std::string_view> names, validation_errors& errors);

} // namespace schemas
