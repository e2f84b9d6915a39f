// The table of every route of the server.
#pragma once

#include "handlers/http/endpoint.hpp"

#include <span>

namespace handlers {

std::span<const route> all_routes();

} // namespace handlers
