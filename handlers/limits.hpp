// The stricter rate limits, which stand beside the general one.
#pragma once

#include "handlers/rate_limiter.hpp"

namespace handlers::limits {

using std::chrono::hours;
using std::chrono::minutes;

inline constexpr rate_rule login_account{"login-account", 10, minutes(1)}; // failures
inline constexpr rate_rule login_address{"login-ip", 100, minutes(1)};     // failures
inline constexpr rate_rule signup_address{"signup-ip", 20, hours(1)};

} // namespace handlers::limits
