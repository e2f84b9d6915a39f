// JSON Schema 2020-12 as OpenAPI 3.1 takes it, put together by the same walk that parses and writes.
#pragma once

#include <boost/core/demangle.hpp>
#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <typeinfo>

namespace schemas {

/** Which members a schema calls required depends on who sends it: a client may leave out what the server
    always writes. */
enum class direction { request, response };

/** Where the schemas of structs go: into a shared table and referred to, or, without a table, in place. */
class openapi_context {
public:
    explicit openapi_context(direction way, boost::json::object* components = nullptr)
        : way_(way), components_(components)
    {}

    direction way() const { return way_; }

    /** @return what stands where the struct is used: a `$ref`, or the schema itself
        @throw std::logic_error if two different schemas claim one name, so that a document is never wrong */
    boost::json::object place(std::string name, boost::json::object schema);

private:
    direction way_;
    boost::json::object* components_;
};

/** Puts an object schema together, member by member. */
class object_schema {
public:
    void add(std::string_view name, boost::json::object schema, bool always_there);
    boost::json::object take() &&;

private:
    boost::json::object properties_;
    boost::json::array required_;
};

/** As a largest length or size: no bound of its own, the body's is enough. */
constexpr std::size_t unlimited = static_cast<std::size_t>(-1);

boost::json::object string_schema(std::size_t min_length, std::size_t max_length);
boost::json::object format_schema(std::string_view format);
boost::json::object enum_schema(std::span<const std::string_view> names);
boost::json::object list_schema(boost::json::object items, std::size_t min_items, std::size_t max_items);

/** The schema that also takes null. */
boost::json::object nullable_schema(boost::json::object schema);

/** `schemas::page<schemas::api_key_row>` as a component's name: `page_api_key_row`. */
std::string component_name(std::string demangled);

template <class T>
std::string schema_name()
{
    return component_name(boost::core::demangle(typeid(T).name()));
}

template <class T>
struct rule;

/** A schema that stands alone, everything in place: for a tool's input or output. */
template <class T>
boost::json::object describe_schema(direction way)
{
    openapi_context cx{way};
    return rule<T>::openapi(cx);
}

/** A schema whose structs are put into `components` and referred to as `#/components/schemas/…`. */
template <class T>
boost::json::object describe_schema(direction way, boost::json::object& components)
{
    openapi_context cx{way, &components};
    return rule<T>::openapi(cx);
}

/** `describe_schema` before the type is forgotten: how a table of routes or tools remembers its types. */
using describer = boost::json::object (*)(openapi_context&);

template <class T>
boost::json::object describe(openapi_context& cx)
{
    return rule<T>::openapi(cx);
}

/** The members of a query struct as OpenAPI parameter objects. */
boost::json::array parameters_of(const boost::json::object& schema);

template <class T>
boost::json::array describe_parameters()
{
    return parameters_of(describe_schema<T>(direction::request));
}

} // namespace schemas
