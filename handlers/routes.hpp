// The route table: every path that the server answers.
#pragma once

#include "handlers/http/route.hpp"

#include <span>

namespace handlers {

std::span<const route> all_routes();

} // namespace handlers
