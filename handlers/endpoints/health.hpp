// Health checks: liveness and readiness.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::health {

/// 200 as long as the process responds.
reply live(call& c);

/// 200, or 503 while the server drains or the database does not respond. Costs one round trip.
awaitable<reply> ready(call& c);

inline constexpr operation operations[] = {
    describes<&live>(tags::observability, "showLiveness", "Liveness",
                     "Answers as long as the process runs; does not query the database."),
    describes<&ready>(
        tags::observability, "showReadiness", "Readiness",
        "503 while the database is unavailable, and while the server drains. On the listener of "
        "`LATCHKEY_ADMIN_LISTEN` where that is set.")
        .fails_with(own_body(503)),
};

} // namespace handlers::health
