// Examples of what schemas describe, for the document.
#pragma once

#include "schemas/engine/openapi.hpp"

#include <boost/json/object.hpp>
#include <boost/json/value.hpp>

#include <string_view>

namespace schemas {

/** A value of a schema, made of examples of its members. Of a request those members are shown that must be
   there and those that are usual; of a response, all.
    @param components what `$ref` refers to
    @param owner the struct that has the schema as its member `name`, which decides what a text is about
    @throw std::logic_error if there is no example for a text, so that none is ever made up badly */
boost::json::value example_of(const boost::json::object& schema, const boost::json::object& components,
                              direction way, std::string_view owner = {}, std::string_view name = {});

} // namespace schemas
