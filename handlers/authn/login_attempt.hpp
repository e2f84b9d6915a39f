// Login attempts: password checks within the rate limits on failed ones.
#pragma once

#include "handlers/access/rate_limiter.hpp"
#include "handlers/authn/response_floor.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/request_limits.hpp"
#include "schemas/engine/types.hpp"

#include <optional>
#include <string>

namespace handlers {

/** One check of the password of an account. It is counted before the hash, so that concurrent attempts cannot
    pass the limits together; the destructor takes the counts back unless the password was wrong.

    Wrong passwords are limited so that no one shuts out the owner of an account:
    - `login-ip`, by client address, and by the networks around an IPv6 address.
    - `login-account`, by account and network of the client. If an account has had `login-total` failures from
      everywhere, which no single network can cause in the first minutes, each network has one attempt a
      minute in place of ten: a distributed attack is slowed down, and the right password from another network
      passes.
    - A device that has signed in before from this network has attempts of its own, by account, address and
      user agent, after its neighbours have used up those of the limits above. Their failures are answered as
      over these limits, after the same time, so that they tell nothing about the account or its devices.
    - A session has attempts of its own too, and no others. */
class login_attempt {
public:
    /// @param email normalized, of the account
    login_attempt(call& c, std::string email);
    ~login_attempt();
    login_attempt(const login_attempt&) = delete;
    login_attempt& operator=(const login_attempt&) = delete;

    /** Counts the attempt.
        @return 429 if there were too many failures, at the time of over_limit_floor
        @throw db::failure */
    awaitable<std::optional<problem>> count();

    /** Checks a password, after count(). A wrong one stays counted, and shows in the account's audit trail.
        @param account nothing: the address has no account
        @param hash of the account's password; empty: there is none
        @return whether it is right; or the 429 of a wrong one
        @throw crypto::overloaded */
    awaitable<result<bool>> check(schemas::existing_password password, std::optional<db::uuid> account,
                                  std::string hash);

private:
    awaitable<std::optional<problem>> count_for_session();
    awaitable<std::optional<problem>> count_for_network();
    awaitable<std::optional<problem>> count_for_device(problem over);

    call& c_;
    std::string email_;
    response_floor floor_{over_limit_floor};
    address_receipt by_address_{};
    rate_limiter::receipt by_account_, in_total_;
    /// The answer to a wrong password of a known device in a network that is over the limit.
    std::optional<problem> over_;
};

} // namespace handlers
