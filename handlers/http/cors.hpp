// CORS: the origins that may call from a browser, and preflight requests.
#pragma once

#include "handlers/http/context.hpp"

#include <string_view>

namespace handlers {

/// Lets the requesting page read the reply if its origin is allowed.
void allow_origin(const settings& config, const request& req, reply& out);

/// Answers OPTIONS with the methods of the path.
reply answer_options(std::string_view allow);

/// Answers OPTIONS: the methods of the path and, for a preflight of an allowed origin, what it may send.
reply answer_options(const settings& config, const request& req, std::string_view allow);

} // namespace handlers
