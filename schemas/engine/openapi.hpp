// JSON Schema 2020-12 for OpenAPI 3.1, generated from the same types that parse and write.
#pragma once

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>

namespace schemas {

/** Requests and responses differ in their required members: a client may omit members that the server always
    writes. */
enum class direction { request, response };

/// The destination of struct schemas: a shared table of components, or, without one, inline.
class openapi_context {
public:
    explicit openapi_context(direction use, boost::json::object* components = nullptr)
        : direction_(use), components_(components)
    {}

    bool is_request() const { return direction_ == direction::request; }

    /** Add the schema of a struct.
        @return a `$ref` to it, or, without a table, the schema itself
        @throw std::logic_error if two different schemas have the same name */
    boost::json::object add_component(std::string name, boost::json::object schema);

private:
    direction direction_;
    boost::json::object* components_;
};

/// Builds an object schema member by member.
class object_schema {
public:
    void add(std::string_view name, boost::json::object schema, bool is_required);
    boost::json::object take() &&;

private:
    boost::json::object properties_;
    boost::json::array required_;
};

/// As a maximum length or size: none, beyond the limit of the request body.
constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

boost::json::object string_schema(std::size_t min_length, std::size_t max_length);
boost::json::object format_schema(std::string_view format);
boost::json::object enum_schema(std::span<const std::string_view> names);
boost::json::object list_schema(boost::json::object items, std::size_t min_items, std::size_t max_items);

/// The schema that also allows null.
boost::json::object nullable_schema(boost::json::object schema);

/// `schemas::page<schemas::api_key_row>` as a component name: `page_api_key_row`.
std::string component_name(std::string demangled);
std::string component_name(const std::type_info& type);

template <class T>
struct rule;

/// A self-contained schema with everything inline: for the input or output of a tool.
template <class T>
boost::json::object describe_schema(direction use)
{
    openapi_context cx{use};
    return rule<T>::openapi(cx);
}

/// A schema that adds its structs to `components` and references them as `#/components/schemas/…`.
template <class T>
boost::json::object describe_schema(direction use, boost::json::object& components)
{
    openapi_context cx{use, &components};
    return rule<T>::openapi(cx);
}

/// The type-erased form of describe_schema(), for tables of routes and tools.
using describer = boost::json::object (*)(openapi_context&);

template <class T>
boost::json::object describe(openapi_context& cx)
{
    return rule<T>::openapi(cx);
}

/// The members of an object schema as OpenAPI query parameters.
boost::json::array parameters_of(const boost::json::object& schema);

template <class T>
boost::json::array describe_parameters()
{
    return parameters_of(describe_schema<T>(direction::request));
}

} // namespace schemas
