// Health checks: liveness and readiness.
#pragma once

#include "handlers/http/handler.hpp"

namespace handlers::health {

/// 200 as long as the process responds.
reply live(call& c);

/// 200, or 503 while the server drains or the database does not respond. Costs one round trip.
awaitable<reply> ready(call& c);

} // namespace handlers::health
