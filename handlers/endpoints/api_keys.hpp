// API keys: minted, listed, changed, rotated, revoked, reported.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"
#include "schemas/account.hpp"
#include "schemas/api_key.hpp"
#include "schemas/page.hpp"

#include <chrono>
#include <optional>

namespace handlers::api_keys {

/// Mints a key and shows its secret this once. No key can mint one with more rights than its own.
awaitable<answer<schemas::api_key_created>> mint(call& c, schemas::api_key_create body);

/** The same for a key without a secret: the holder of the one-time token with the digest `claim` creates it
    with claim(), within `claim_lifetime`. The secret in the response is empty. */
awaitable<answer<schemas::api_key_created>> mint_unclaimed(call& c, schemas::api_key_create body,
                                                           db::digest claim);

inline constexpr std::chrono::minutes claim_lifetime{15};

/// Creates the secret of a key that was minted without one, and shows it this once. Needs the token alone.
awaitable<answer<schemas::api_key_created>> claim(call& c, schemas::email_token body);

/// The caller's own keys, newest first.
awaitable<answer<schemas::page<schemas::api_key_row>>> list(call& c, query<schemas::api_key_query> wanted);

awaitable<answer<schemas::api_key_row>> show(call& c);
awaitable<answer<schemas::api_key_row>> update(call& c, schemas::api_key_patch body);

/// Idempotent. When it returns, every node rejects the key.
awaitable<answer<no_content>> revoke(call& c);

/// Mints a successor with the same rights; the old key stays valid for the grace period.
awaitable<answer<schemas::api_key_created>> rotate(call& c, std::optional<schemas::api_key_rotate> body);

/// Revokes a leaked key. Possession of the key suffices; anything else gets the same response.
awaitable<answer<no_content>> report(call& c, schemas::api_key_report body);

inline constexpr operation operations[] = {
    describes<&revoke>(tags::team, "revokeTeamApiKey", "Revoke any API key of the workspace"),
    describes<&mint>(tags::api_keys, "mintApiKey", "Create an API key",
                     "`secret` is shown only here. A key created with a key gets at most that key's scopes.")
        .fails_with(codes::forbidden, codes::forbidden_scope),
    describes<&list>(
        tags::api_keys, "listApiKeys", "List the caller's API keys",
        "`expires_before` lists the active keys that end before it, and none with another `status`.")
        .fails_with(codes::forbidden),
    describes<&report>(
        tags::api_keys, "reportApiKey", "Report a leaked API key",
        "Revokes the key: holding it is enough. White space around it is ignored. Invalid keys get the "
        "same answer."),
    describes<&claim>(
        tags::api_keys, "claimApiKey", "Get the secret of a key by its one-time link",
        "For keys that an agent created with `delivery: claim_url`. The secret is generated and shown by "
        "this call alone: the agent never has it.")
        .fails_with(codes::invalid_token),
    describes<&show>(tags::api_keys, "showApiKey", "Show an API key").fails_with(codes::forbidden),
    describes<&update>(
        tags::api_keys, "updateApiKey", "Change a key's name, scopes or expiry",
        "409 `conflict` if its rights were changed meanwhile; `already_rotated` if it was replaced.")
        .fails_with(codes::forbidden, codes::forbidden_scope, codes::conflict, codes::already_rotated),
    describes<&revoke>(tags::api_keys, "revokeApiKey", "Revoke an API key",
                       "Once this has answered, no node accepts the key. Idempotent.")
        .fails_with(codes::forbidden),
    describes<&rotate>(
        tags::api_keys, "rotateApiKey", "Replace an API key by a successor",
        "The successor has the same rights. The old key stays valid for `grace_seconds`, and cannot be "
        "rotated again.")
        .fails_with(codes::forbidden, codes::forbidden_scope, codes::conflict, codes::already_rotated),
    describes<&mint>(tags::api_keys, "adminMintApiKey", "Create an API key", "An alias of `mintApiKey`.")
        .fails_with(codes::forbidden, codes::forbidden_scope),
    describes<&list>(tags::api_keys, "adminListApiKeys", "List the caller's API keys",
                     "An alias of `listApiKeys`.")
        .fails_with(codes::forbidden),
    describes<&revoke>(tags::api_keys, "adminRevokeApiKey", "Revoke an API key",
                       "An alias of `revokeApiKey`.")
        .fails_with(codes::forbidden),
};

} // namespace handlers::api_keys
