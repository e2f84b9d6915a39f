// OAuth grants: the OpenID providers linked to the caller's account.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/oauth.hpp"
#include "schemas/page.hpp"

namespace handlers::oauth_grants {

/// The caller's grants.
awaitable<answer<schemas::page<schemas::oauth_grant>>> list(call& c);

/// Unlinks a provider, and revokes the tokens that it granted. 409 for the last way to sign in.
awaitable<answer<no_content>> remove(call& c);

inline constexpr operation operations[] = {
    describes<&list>(tags::google, "listOauthGrants", "List the linked sign-in providers")
        .fails_with(codes::forbidden),
    describes<&remove>(tags::google, "removeOauthGrant", "Unlink a sign-in provider",
                       "The account's last sign-in method cannot be removed.")
        .fails_with(codes::forbidden, codes::conflict),
};

} // namespace handlers::oauth_grants
