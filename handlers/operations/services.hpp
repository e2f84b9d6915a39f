// Operations for other services, agents, browsers and operators.
#pragma once

#include "handlers/endpoints/forward_auth.hpp"
#include "handlers/endpoints/health.hpp"
#include "handlers/endpoints/html_pages.hpp"
#include "handlers/endpoints/introspection.hpp"
#include "handlers/endpoints/notifications.hpp"
#include "handlers/mcp/protocol.hpp"
#include "handlers/metrics/registry.hpp"
#include "handlers/openapi/document.hpp"
#include "handlers/openapi/operation.hpp"
#include "handlers/openapi/swagger_ui.hpp"

namespace handlers::operations {

inline constexpr std::string_view html = "text/html";

inline constexpr operation services[] = {
    describes<&forward_auth::check>(
        tags::integration, "checkCredential", "Forward authentication",
        "For nginx `auth_request`, Caddy `forward_auth`, Traefik and Envoy; accepts any method. With "
        "`deny_status=403`, every error but 401 and 503 is a 403 with the reason in `X-Auth-Reason`.")
        .fails_with(codes::forbidden_scope, codes::rate_limited.with_status(403))
        .responds(200, "Admitted: the caller is in `X-User-Id`, `X-Workspace-Id`, `X-Role`, `X-Scopes` and "
                       "`X-Credential-Id`."),
    describes<&introspection::inspect>(
        tags::integration, "introspectToken", "Introspect a token (RFC 7662)",
        "Covers the tokens of the caller's workspace; all others are reported as inactive."),
    describes<&introspection::revoke>(
        tags::integration, "revokeToken", "Revoke a token (RFC 7009)",
        "An access or refresh token ends its session; an API key is revoked. Possession is enough. 200 for "
        "unknown tokens too.")
        .responds(200, "Done."),
    describes<&forward_auth::jwks>(tags::integration, "showJwks", "Public keys of access tokens (RFC 7517)",
                                   "Two keys while they rotate. May be cached for ten minutes."),
    describes<&openapi::show>(
        tags::integration, "showOpenapi", "This document",
        "Generated from the server's route table and from the types that parse and validate requests.")
        .responds(200, "The document.", "application/json"),

    describes<&mcp::serve>(
        tags::agents, "mcp", "The Model Context Protocol",
        "Streamable HTTP, stateless, answered in JSON. Supports 2026-07-28 and, for clients that send "
        "`initialize`, 2025-03-26 to 2025-11-25. Its tools are operations of this document, with the same "
        "permissions and limits.")
        .fails_with(codes::unsupported_media_type, codes::payload_too_large, codes::forbidden, own_body(400),
                    own_body(404), own_body(406))
        .responds(200, "The JSON-RPC response, or an array of them for a batch.", "application/json")
        .responds(202, "A notification was accepted."),
    describes<&mcp::describe_resource>(tags::agents, "showResource", "Metadata of the MCP resource",
                                       "RFC 9728."),
    describes<&mcp::describe_resource>(tags::agents, "showMcpResource", "Metadata of the MCP resource",
                                       "RFC 9728, at the path that clients try first."),

    describes<&swagger_ui::show>(tags::pages, "showDocs", "This document as an interactive page",
                                 "Its requests go to this server alone.")
        .responds(200, "The page.", html),
    describes<&swagger_ui::show_file>(tags::pages, "showDocsFile", "The assets of that page",
                                      "Scripts, styles and licenses, compressed where the client accepts it.")
        .responds(200, "The file.", "*/*")
        .responds(304, "It is the one that `If-None-Match` names."),
    describes<&html_pages::verify>(
        tags::pages, "pageVerify", "Verify an email address",
        "The target of the link in the verification email. Opening it does not use the token; its button "
        "does.")
        .responds(200, "The page.", html),
    describes<&html_pages::reset>(tags::pages, "pageReset", "Choose a new password",
                                  "The target of the link in the password reset email.")
        .responds(200, "The page.", html),
    describes<&html_pages::change_email>(tags::pages, "pageChangeEmail", "Confirm a changed email address",
                                         "The target of the link that is sent to a new address.")
        .responds(200, "The page.", html),
    describes<&html_pages::invite>(tags::pages, "pageInvite", "Accept an invite",
                                   "The target of the link of an invite.")
        .responds(200, "The page.", html),
    describes<&html_pages::unsubscribe>(tags::pages, "pageUnsubscribe", "Unsubscribe from a kind of notice",
                                        "The target of the link at the end of a notice.")
        .responds(200, "The page.", html),
    describes<&html_pages::claim>(
        tags::pages, "pageClaim", "Get the secret of an API key",
        "The target of the one-time link to a key. Opening it does not use the token; its button does.")
        .responds(200, "The page.", html),
    describes<&notifications::unsubscribe>(
        tags::pages, "unsubscribe", "Unsubscribe from a kind of notice with one click (RFC 8058)",
        "Sent by mail programs themselves, as `List-Unsubscribe-Post` requests.")
        .fails_with(codes::invalid_token),

    describes<&health::live>(tags::observability, "showLiveness", "Liveness",
                             "Answers as long as the process runs; does not query the database."),
    describes<&health::ready>(tags::observability, "showReadiness", "Readiness",
                              "503 while the database is unavailable, and while the server drains.")
        .fails_with(own_body(503)),
    describes<&metrics::show>(tags::observability, "showMetrics", "Metrics in the Prometheus text format",
                              "No label contains a user, a workspace or a credential.")
        .fails_with(codes::not_found)
        .responds(200, "All metrics.", "text/plain"),
};

} // namespace handlers::operations
