// Dispatch of a request: find the route, check its guard, run the handler, and turn exceptions into replies.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/router.hpp"

#include <cstddef>
#include <memory>
#include <optional>
#include <variant>

namespace handlers {

/// A request with its route, which must wait: for its body, the database or the hash pool.
struct pending {
    /// Null: none matches, see `unmatched`.
    const handlers::route* route;
    std::size_t route_index;
    handlers::call call;
    /// The error of a request without a route, which still has to be counted. Rare, and larger than the rest.
    std::unique_ptr<problem> unmatched = {};
    /// The guard has admitted the request, and counted it.
    bool is_admitted = false;
};

/** Answers a request that needs no waiting: a handler that does not suspend, and a cached credential. The hot
    path: no coroutine. Throws std::bad_alloc alone. */
std::variant<reply, pending> dispatch_now(const router& routes, context& cx, const request& req);

/** Checks the guard of a request before its body is read, from memory alone.
    @return the reply of a request without a route, or rejected by the guard; else the request, admitted
    unless that requires the database. Throws std::bad_alloc alone. */
std::variant<reply, pending> admit_now(const router& routes, context& cx, const request& req);

/** Checks the guard of a pending request before its body is read.
    @return the reply of a rejected one. Throws std::bad_alloc alone. */
awaitable<std::optional<reply>> admit(pending& request);

/** Checks the guard of an admitted request again, once its body has been read: meanwhile its credential may
    have been revoked. Counts nothing.
    @return the reply of a rejected one. Throws std::bad_alloc alone. */
awaitable<std::optional<reply>> admit_again(pending& request);

/** Answers a pending request. A failure of the database is a 503, any other exception a 500, with the cause
    in the reply for the log. Throws std::bad_alloc alone. */
awaitable<reply> dispatch(pending request);

} // namespace handlers
