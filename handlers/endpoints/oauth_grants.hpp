// The providers that a person can sign in through.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/oauth.hpp"
#include "schemas/page.hpp"

namespace handlers::oauth_grants {

/** The caller's. */
awaitable<answer<schemas::page<schemas::oauth_grant>>> list(call& c);

/** Unlink the one that the path names, and give back to it what it let us do. 409 for the last way to sign
 * in. */
awaitable<answer<nothing>> remove(call& c);

} // namespace handlers::oauth_grants
