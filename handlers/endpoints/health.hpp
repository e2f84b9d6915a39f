// For whoever runs the server: does it live, and should it be sent requests?
#pragma once

#include "handlers/http/endpoint.hpp"

namespace handlers::health {

/** 200 as long as the process answers at all. */
reply live(call& c);

/** 200, or 503 while the server drains or the database does not answer. Costs one round trip. */
awaitable<reply> ready(call& c);

} // namespace handlers::health
