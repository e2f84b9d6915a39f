// The Model Context Protocol over HTTP: stateless, one JSON answer for each message.
#pragma once

#include "handlers/http/endpoint.hpp"

namespace handlers::mcp {

/** One message, or, of 2025-03-26, a batch of them. Speaks 2026-07-28, which knows no sessions, and with
   clients that begin with `initialize` 2025-11-25, 2025-06-18 and 2025-03-26. A foreign `Origin` is refused,
   as the protocol wants it. */
awaitable<reply> serve(call& c);

/** A refusal before that: its challenge names where to read of the resource (RFC 9728). */
reply refuse(call& c, const problem& why);

/** What there is to know of the resource (RFC 9728). */
reply describe_resource(call& c);

} // namespace handlers::mcp
