// Rate limits of requests: what is counted, and the 429 response.
#pragma once

#include "handlers/access/rate_limiter.hpp"
#include "handlers/http/fwd.hpp"
#include "handlers/http/problem.hpp"

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
