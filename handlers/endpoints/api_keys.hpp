// API keys: minted, listed, changed, rotated, revoked, reported.
#pragma once

#include "handlers/http/handler.hpp"
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

} // namespace handlers::api_keys
