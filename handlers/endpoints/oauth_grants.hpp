// OAuth grants: the OpenID providers linked to the caller's account.
#pragma once

#include "handlers/http/handler.hpp"
#include "schemas/oauth.hpp"
#include "schemas/page.hpp"

namespace handlers::oauth_grants {

/// The caller's grants.
awaitable<answer<schemas::page<schemas::oauth_grant>>> list(call& c);

/// Unlinks a provider, and revokes the tokens that it granted. 409 for the last way to sign in.
awaitable<answer<no_content>> remove(call& c);

} // namespace handlers::oauth_grants
