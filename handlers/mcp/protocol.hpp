// The Model Context Protocol over HTTP: stateless, each message answered with JSON.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::mcp {

/** Answers one message or, in 2025-03-26, a batch. Supports 2026-07-28, which has no sessions, and, for
    clients that send `initialize`, 2025-11-25, 2025-06-18 and 2025-03-26. Rejects a foreign `Origin`, as the
    protocol requires. */
awaitable<reply> serve(call& c);

/// Rejections by the guard: the challenge links to the resource metadata (RFC 9728).
reply refuse(call& c, const problem& why);

/// The resource metadata (RFC 9728).
reply describe_resource(call& c);

inline constexpr operation operations[] = {
    describes<&serve>(
        tags::agents, "mcp", "The Model Context Protocol",
        "Streamable HTTP, stateless, answered in JSON. Supports 2026-07-28 and, for clients that send "
        "`initialize`, 2025-03-26 to 2025-11-25. Its tools are operations of this document, with the same "
        "permissions and limits.")
        .fails_with(codes::unsupported_media_type, codes::payload_too_large, codes::forbidden, own_body(400),
                    own_body(404), own_body(406))
        .responds(200, "The JSON-RPC response, or an array of them for a batch.", "application/json")
        .responds(202, "A notification was accepted."),
    describes<&describe_resource>(tags::agents, "showResource", "Metadata of the MCP resource", "RFC 9728."),
    describes<&describe_resource>(tags::agents, "showMcpResource", "Metadata of the MCP resource",
                                  "RFC 9728, at the path that clients try first."),
};

} // namespace handlers::mcp
