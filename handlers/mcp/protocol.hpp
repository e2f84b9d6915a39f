// The Model Context Protocol over HTTP: stateless, each message answered with JSON.
#pragma once

#include "handlers/http/handler.hpp"

namespace handlers::mcp {

/** Answers one message or, in 2025-03-26, a batch. Supports 2026-07-28, which has no sessions, and, for
    clients that send `initialize`, 2025-11-25, 2025-06-18 and 2025-03-26. Rejects a foreign `Origin`, as the
    protocol requires. */
awaitable<reply> serve(call& c);

/// Rejections by the guard: the challenge links to the resource metadata (RFC 9728).
reply refuse(call& c, const problem& why);

/// The resource metadata (RFC 9728).
reply describe_resource(call& c);

} // namespace handlers::mcp
