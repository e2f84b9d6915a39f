// Rate limits of requests: what is counted, and the 429 response.
#pragma once

#include "handlers/access/rate_limits.hpp"
#include "handlers/http/fwd.hpp"
#include "handlers/http/lookup_limiter.hpp"
#include "handlers/http/problem.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>

namespace handlers {

/// The error of a rejected call; none: admitted.
using decision = std::optional<problem>;

/** Counts a request against a rule, taking a share of the limit where other nodes count too.
    @param counted receives the proof with which the count can be taken back; may be null
    @return the 429 if it is over the limit */
awaitable<decision> count_request(call& c, rate_rule rule, std::span<const std::uint8_t> subject,
                                  rate_limiter::receipt* counted = nullptr);

/// Counts a request against a rule that decides about a side effect, such as an email, not about the request.
awaitable<bool> is_within_limit(call& c, rate_rule rule, std::span<const std::uint8_t> subject);

/// Proofs of the counts of a client's address and of the networks around it.
using address_receipt = std::array<rate_limiter::receipt, 4>;

/** Counts a request against a rule for the client's address, and for the networks around it.
    @param counted receives the proofs, unless it is over a limit; may be null
    @return the 429 if it is over one of the limits, and then it is counted in none */
awaitable<decision> count_client(call& c, const rate_limits::address_rule& rule,
                                 address_receipt* counted = nullptr);

/// Takes the counts of a client back.
void refund(const address_receipt& counted);

/** A place for the lookup of a credential. A client at an address over the limit of requests without a valid
    credential has few at the same time. Not none: the credential may be valid, since the address may be
    that of a proxy, and over its limit through others. Counts nothing.
    @return nothing inside for a client that needs none, to be kept until the lookup is done; 429 */
result<std::optional<lookup_limiter::place>> enter_lookup(call& c);

/// Counts a request against the limit of a credential that is not the caller of the guard.
awaitable<decision> count_credential(call& c, db::uuid id);

/// The same by the digest of a credential, so that the next request can be refused before its lookup.
awaitable<decision> count_credential(call& c, db::digest key);

/// @return the 429 if count_credential() would refuse. Counts nothing.
decision check_credential_limit(const call& c, const db::digest& key);

/** Counts a request that is rejected against the limit of its client address.
    @return the 429 if it is over the limit, else `rejection` */
awaitable<problem> reject_counted(call& c, problem rejection);

// Without waiting: nothing if a share of the limit has to be taken first, with take_needed_share().

/// Counts a request without a valid credential against the limit of its client address.
std::optional<decision> try_count_address(call& c);

/// Counts a request against the limit of its credential.
std::optional<decision> try_count_credential(call& c);

/** Counts a request with an invalid credential against the limit of its client address. Only after the
    lookup: the address of a proxy may be over its limit through others, and a valid credential has its own.
    @return the 429 if it is over the limit, else `rejection` */
std::optional<decision> try_reject(call& c, problem rejection);

/// Takes the share that a count above lacked. Repeat the count then.
awaitable<void> take_needed_share(call& c);

/// The 429 in the contract's shape.
problem rate_limited(const rate_limit_error& refusal);

} // namespace handlers
