// Forward authentication for other services, and the public keys that verify our JWTs.
#pragma once

#include "handlers/http/handler.hpp"
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

} // namespace handlers::forward_auth
