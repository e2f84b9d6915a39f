// OAuth token introspection (RFC 7662) and revocation (RFC 7009).
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/introspection.hpp"

namespace handlers::introspection {

/// Whether a token is active, and its rights. Tokens of other workspaces are reported as inactive.
awaitable<answer<schemas::introspection>> inspect(call& c, form<schemas::introspection_request> body);

/// Revokes a token presented by its holder: an API key, or the session of an access or refresh token.
awaitable<answer<no_content>> revoke(call& c, form<schemas::revocation_request> body);

inline constexpr operation operations[] = {
    describes<&inspect>(tags::integration, "introspectToken", "Introspect a token (RFC 7662)",
                        "Covers the tokens of the caller's workspace; all others are reported as inactive."),
    describes<&revoke>(
        tags::integration, "revokeToken", "Revoke a token (RFC 7009)",
        "An access or refresh token ends its session, also after it has expired; an API key is revoked. "
        "Possession is enough. 200 for unknown tokens too.")
        .responds(200, "Done."),
};

} // namespace handlers::introspection
