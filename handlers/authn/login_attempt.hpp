// Guesses at a password, and the limits on them.
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

/** One guess at a password. It is counted before the hash, so that guesses made at the same time do not slip
    past the limits together, and taken back unless it turns out to be wrong. */
class guess {
public:
    /** @param email normalized; must outlive the guess */
    guess(call& c, const std::string& email);
    ~guess();
    guess(const guess&) = delete;
    guess& operator=(const guess&) = delete;

    /** @return 429 if there have been too many wrong ones, for the account or from the address */
    std::optional<problem> count();

    /** It counts. */
    void is_wrong() { counts_address_ = counts_account_ = false; }

private:
    call& c_;
    std::array<std::uint8_t, 16> address_;
    std::span<const std::uint8_t> email_;
    rate_limiter::clock::time_point counted_{};
    bool counts_address_ = false, counts_account_ = false; // to be taken back
};

} // namespace handlers
