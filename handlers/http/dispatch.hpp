// A request's way through the route table: match, guard, call. Whatever goes wrong becomes a reply here.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/router.hpp"

#include <variant>

namespace handlers {

/** A request whose route has been found and which has to wait for the database or the hashers. It has not
   been counted yet. */
struct pending {
    const route* line;
    std::size_t number; // of the line in its table
    call ready;
};

/** Answer a request at once if that needs no waiting: a quick handler and a caller that is remembered. Throws
    for want of memory alone. */
std::variant<reply, pending> dispatch_now(const router& routes, context& cx, const request& req);

/** Answer a request that has to wait. A failure of the database is 503, anything else unforeseen 500, with
   its cause in the reply for the log. Throws for want of memory alone. */
awaitable<reply> dispatch(pending at);

} // namespace handlers
