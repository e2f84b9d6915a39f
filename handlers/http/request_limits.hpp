// Rate limits of requests: what is counted, and the 429 response.
#pragma once

#include "handlers/access/rate_limiter.hpp"
#include "handlers/http/fwd.hpp"
#include "handlers/http/problem.hpp"

#include <cstdint>
#include <optional>
#include <span>

namespace handlers {

/** Counts a request against a rule.
    @param counted receives the proof with which the count can be taken back; may be null
    @return the 429 if it is over the limit */
std::optional<problem> count_request(call& c, const rate_rule& rule, std::span<const std::uint8_t> subject,
                                     rate_limiter::receipt* counted = nullptr);

/// Counts a request without a valid credential against the limit of its client address.
std::optional<problem> count_address(call& c);

/// Counts a request against the limit of its credential.
std::optional<problem> count_credential(call& c);

/** Counts a request with an invalid credential against the limit of its client address. Only after the
   lookup: the address of a proxy may be over its limit through others, and a valid credential has its own.
    @return the 429 if it is over the limit, else `rejection` */
problem reject_unknown_credential(call& c, problem rejection);

/// The 429 in the contract's shape.
problem rate_limited(const rate_limit_error& refusal);

} // namespace handlers
