// For other services: who is this, and may they? And the keys to check our tokens with.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/auth.hpp"

namespace handlers::auth {

/** Forward authentication for nginx `auth_request`, Caddy, Traefik and Envoy: 200 with the caller in
    X-headers. Query: `permission`, and `deny_status=403` for proxies that can pass on nothing else. Reads no
    body. */
reply check(call& c, query<schemas::auth_query> asked);

/** How a refusal at `check` is told: as any other, or, with `deny_status=403`, as 403 and `X-Auth-Reason`. */
reply refuse(call& c, const problem& why);

/** The public keys of our JWTs (RFC 7517). */
reply jwks(call& c);

} // namespace handlers::auth
