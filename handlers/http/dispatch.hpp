// Dispatch of a request: find the route, check its guard, run the handler, and turn exceptions into replies.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/router.hpp"

#include <cstddef>
#include <variant>

namespace handlers {

/// A request with its route, which must wait for the database or the hash pool. Not counted yet.
struct pending {
    const handlers::route* route;
    std::size_t route_index;
    handlers::call call;
};

/** Answers a request that needs no waiting: a handler that does not suspend, and a cached credential. The hot
    path: no coroutine. Throws std::bad_alloc alone. */
std::variant<reply, pending> dispatch_now(const router& routes, context& cx, const request& req);

/** Answers a pending request. A failure of the database is a 503, any other exception a 500, with the cause
    in the reply for the log. Throws std::bad_alloc alone. */
awaitable<reply> dispatch(pending request);

} // namespace handlers
