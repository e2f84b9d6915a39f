// Timing equalization: delays a response to the next fixed interval, so that its latency leaks nothing.
#pragma once

#include "handlers/http/context.hpp"

#include <chrono>

namespace handlers {

/** Responses are sent at multiples of an interval after construction, which hides a few milliseconds of work
    more or less: whether an email was queued, for example. Construct it before the work begins. */
class response_floor {
public:
    using clock = std::chrono::steady_clock;

    /// @param interval many times the difference to hide; else some responses are late by a whole interval
    explicit response_floor(std::chrono::milliseconds interval) : interval_(interval) {}

    awaitable<void> wait() const;

private:
    clock::time_point start_ = clock::now();
    std::chrono::milliseconds interval_;
};

/// For responses that may have queued an email or inserted an account, which takes some milliseconds.
inline constexpr std::chrono::milliseconds mail_response_floor{100};

/// For failed logins: hides that finding an account takes up to a tenth of a millisecond longer than finding
/// none.
inline constexpr std::chrono::milliseconds login_failure_floor{20};

/// For logins over a limit: hides the password hash of a known device, which takes some tens of milliseconds.
inline constexpr std::chrono::milliseconds over_limit_floor{500};

} // namespace handlers
