// Forward authentication for other services, and the public keys that verify our JWTs.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/auth.hpp"

namespace handlers::forward_auth {

/** Forward authentication for nginx `auth_request`, Caddy, Traefik and Envoy: 200 with the caller in
    X-headers. Query: `permission`, and `deny_status=403` for proxies that relay no other status. Reads no
    body. */
reply check(call& c, query<schemas::auth_query> asked);

/// The response to a caller that the guard of `check` rejects: the error's own or, with `deny_status=403`,
/// 403 with `X-Auth-Reason`.
reply reject(call& c, const problem& error);

/// The public keys of our JWTs (RFC 7517).
reply jwks(call& c);

inline constexpr operation operations[] = {
    describes<&check>(
        tags::integration, "checkCredential", "Forward authentication",
        "For nginx `auth_request`, Caddy `forward_auth`, Traefik and Envoy; accepts any method. With "
        "`deny_status=403`, every error but 401 and 503 is a 403 with the reason in `X-Auth-Reason`. "
        "Decide by `permission`: `X-Role` and `X-Scopes` inform, and the role of an API key's owner may "
        "include rights that the key does not have.")
        .fails_with(codes::forbidden_scope, codes::rate_limited.with_status(403))
        .responds(200, "Admitted: the caller is in `X-User-Id`, `X-Workspace-Id`, `X-Role`, `X-Scopes` and "
                       "`X-Credential-Id`."),
    describes<&jwks>(tags::integration, "showJwks", "Public keys of access tokens (RFC 7517)",
                     "Two keys while they rotate. May be cached for ten minutes."),
};

} // namespace handlers::forward_auth
