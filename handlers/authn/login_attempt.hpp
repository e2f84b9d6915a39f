// Login attempts: the rate limits on failed password checks.
#pragma once

#include "handlers/access/rate_limiter.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>

namespace handlers {

/** One password check. It is counted before the hash, so that concurrent attempts cannot pass the limits
    together; the destructor refunds it unless record_failure() was called. */
class login_attempt {
public:
    /// @param email normalized; must outlive the attempt
    login_attempt(call& c, const std::string& email);
    ~login_attempt();
    login_attempt(const login_attempt&) = delete;
    login_attempt& operator=(const login_attempt&) = delete;

    /** Counts the attempt for the client's address and for the account.
        @return 429 if either has too many failures */
    std::optional<problem> count();

    /// The password was wrong: the attempt stays counted. @param account the account, if the address has one:
    /// its audit trail shows the failure
    void record_failure(const std::optional<db::uuid>& account);

private:
    call& c_;
    std::array<std::uint8_t, 16> address_;
    std::span<const std::uint8_t> email_;
    rate_limiter::receipt by_address_;
    rate_limiter::receipt by_account_;
};

} // namespace handlers
