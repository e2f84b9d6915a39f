// The document that tells clients all of this: OpenAPI 3.1, made of the route table and the schemas.
#pragma once

#include "handlers/http/endpoint.hpp"

#include <boost/json/object.hpp>

#include <string>
#include <string_view>

namespace handlers {

/** The whole document. Some milliseconds of work: made once for a process.
    @param server where clients reach it, without a slash at its end
    @throw std::logic_error if a route has no operation or an operation no route, or two schemas claim one
   name */
boost::json::object describe_api(std::string_view server, std::string_view version);

namespace openapi {

/** The document as JSON. */
reply show(call& c);

} // namespace openapi

} // namespace handlers
