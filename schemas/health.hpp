// What the liveness and readiness probes answer.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

struct health {
    std::string status;
};
BOOST_DESCRIBE_STRUCT(health, (), (status))

} // namespace schemas
