// The errors of a route in the OpenAPI document.
#pragma once

#include "handlers/http/operation.hpp"
#include "handlers/http/route.hpp"

#include <map>
#include <vector>

namespace handlers {

/// All errors of a route by status, without duplicates: those of its guard and input, and those of its
/// operation.
std::map<unsigned, std::vector<documented_error>> errors_of(const route& line, const operation& op,
                                                            bool has_cursor);

} // namespace handlers
