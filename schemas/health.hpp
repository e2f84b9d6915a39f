// The response of the liveness and readiness probes.
#pragma once

#include "schemas/engine/types.hpp"

namespace schemas {

struct health {
    std::string status;
};
BOOST_DESCRIBE_STRUCT(health, (), (status))

} // namespace schemas
