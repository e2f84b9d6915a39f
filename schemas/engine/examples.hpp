// Example values of schemas, for the OpenAPI document.
#pragma once

#include "schemas/engine/openapi.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string_view>

namespace schemas {

/** An example of a schema, composed of examples of its members. For a request, the required and the commonly
    used members; for a response, all of them.
    @param components the targets of `$ref`
    @param owner the struct that has the schema as its member `name`, which selects the example
    @throw std::logic_error if there is no example, so that none is made up */
boost::json::value example_of(const boost::json::object& schema, const boost::json::object& components,
                              direction use, std::string_view owner = {}, std::string_view name = {});

} // namespace schemas
