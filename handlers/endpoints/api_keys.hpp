// API keys: minted, listed, changed, replaced, revoked, reported.
#pragma once

#include "handlers/http/endpoint.hpp"
#include "schemas/account.hpp"
#include "schemas/api_key.hpp"
#include "schemas/page.hpp"

namespace handlers::api_keys {

/** Make a key and show its secret this once. A key never begets a wider one. */
awaitable<answer<schemas::api_key_created>> mint(call& c, schemas::api_key_create body);

/** The same for a key that has no secret yet: whoever brings the token of `claim`, a one-time token's digest,
   makes it, within `claim_lifetime`. The secret of the answer is empty. */
awaitable<answer<schemas::api_key_created>> mint_unclaimed(call& c, schemas::api_key_create body,
                                                           db::digest claim);

inline constexpr std::chrono::minutes claim_lifetime{15};

/** Make the secret of a key that was minted without one, and show it this once. The token is all it takes. */
awaitable<answer<schemas::api_key_created>> claim(call& c, schemas::mailed_token body);

/** One's own keys, the newest first. */
awaitable<answer<schemas::page<schemas::api_key_row>>> list(call& c, query<schemas::api_key_query> wanted);

awaitable<answer<schemas::api_key_row>> show(call& c);
awaitable<answer<schemas::api_key_row>> update(call& c, schemas::api_key_patch body);

/** Doing it twice is no error. When it has returned the key is refused everywhere. */
awaitable<answer<nothing>> revoke(call& c);

/** Make a successor with the same rights; the old key lives out its grace. */
awaitable<answer<schemas::api_key_created>> rotate(call& c, std::optional<schemas::api_key_rotate> body);

/** Revoke a leaked key. Whoever has it may; garbage gets the same answer. */
awaitable<answer<nothing>> report(call& c, schemas::api_key_report body);

} // namespace handlers::api_keys
