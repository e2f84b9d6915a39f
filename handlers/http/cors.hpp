// Which pages of other origins may read the answers.
#pragma once

#include "handlers/http/context.hpp"

#include <string_view>

namespace handlers {

/** Let the page that asked read the reply, if its origin is on the allow-list. */
void allow_origin(const settings& config, const request& req, reply& out);

/** The answer to OPTIONS: which methods the path knows, and, to a preflight of an allowed origin, what its
    page may send. */
reply answer_options(const settings& config, const request& req, std::string_view allow);

} // namespace handlers
