// A request's way through the route table: match, guard, call. Whatever goes wrong becomes a reply here.
#pragma once

#include "handlers/context.hpp"
#include "handlers/router.hpp"

#include <optional>

namespace handlers {

/** Answer a request at once if that needs neither the database nor the hashers: a quick handler and a caller
    that is remembered. Throws for want of memory alone.
    @return nothing if it has to be answered by `dispatch`; it has then not been counted yet */
std::optional<reply> dispatch_now(const router& routes, context& cx, const request& req);

/** Answer a request. A failure of the database is 503, anything else unforeseen 500, with its cause in the
    reply for the log. Throws for want of memory alone. */
awaitable<reply> dispatch(const router& routes, context& cx, const request& req);

} // namespace handlers
