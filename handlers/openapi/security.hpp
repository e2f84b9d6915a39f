// Security schemes of the OpenAPI document: the credentials that operations accept.
#pragma once

#include "handlers/http/operation.hpp"
#include "handlers/http/route.hpp"

#include <boost/json/array.hpp>
#include <boost/json/object.hpp>

namespace handlers {

/// All schemes, by name.
boost::json::object security_schemes();

/// Whether a bearer token has to be sent.
bool needs_credential(const route& line);

/// The schemes of an operation. Alternatives; an empty object: no credential is required.
boost::json::array security_of(const route& line, const operation& op);

} // namespace handlers
