// Tokens as OAuth's other servers ask about them: RFC 7662 and RFC 7009.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/introspection.hpp"

namespace handlers::introspection {

/** Whether a token is good now, and for what. Of tokens of other workspaces nothing is told. */
awaitable<answer<schemas::introspection>> inspect(call& c, form<schemas::introspection_request> body);

/** End what a token stands for, whoever holds it: a key, or the session of an access or a refresh token. */
awaitable<answer<nothing>> revoke(call& c, form<schemas::revocation_request> body);

} // namespace handlers::introspection
