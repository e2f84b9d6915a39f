// The OpenAPI 3.1 document, generated from the route table, its operations and the schemas.
#pragma once

#include "handlers/http/operation.hpp"
#include "handlers/http/route.hpp"

#include <boost/json/object.hpp>

#include <span>
#include <string_view>

namespace handlers {

/** The whole document. Some milliseconds of work: built once per process.
    @param routes each with its operation
    @param server the base URL for clients, without a trailing slash
    @throw std::logic_error if two schemas have the same name */
boost::json::object describe_api(std::span<const route> routes, std::string_view server,
                                 std::string_view version);

namespace openapi {

/// The document as JSON.
reply show(call& c);

inline constexpr operation operations[] = {
    describes<&show>(
        tags::integration, "showOpenapi", "This document",
        "Generated from the server's route table and from the types that parse and validate requests.")
        .responds(200, "The document.", "application/json"),
};

} // namespace openapi

} // namespace handlers
