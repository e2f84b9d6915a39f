// Rate limiter: fixed windows, counted in tables of atomics that all cores share.
#pragma once

#include "handlers/access/counter_table.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <limits>
#include <optional>
#include <span>
#include <string_view>

namespace handlers {

/** The tables: rules with the same window, of subjects that come into being in the same way. Whoever fills
   one table reaches the counters of no other. */
enum class rate_table : std::uint8_t {
    /// Credentials that exist.
    credentials,
    /// Client addresses.
    addresses,
    /// Each counter costs a password hash.
    password_guesses,
    password_guesses_hourly,
    /// Client addresses.
    address_actions,
    /// Accounts, workspaces and invites that exist.
    accounts,
    /// Email addresses that clients name.
    email_addresses,
    invited_addresses
};

struct rate_table_settings {
    /// For the metrics.
    std::string_view name;
    std::chrono::seconds window;
    std::size_t slots;
};

/// In the order of rate_table.
inline constexpr std::array<rate_table_settings, 8> rate_tables{{
    {"credentials", std::chrono::minutes(1), std::size_t{1} << 18},
    {"addresses", std::chrono::minutes(1), std::size_t{1} << 16},
    {"password_guesses", std::chrono::minutes(1), std::size_t{1} << 15},
    {"password_guesses_hourly", std::chrono::hours(1), std::size_t{1} << 15},
    {"address_actions", std::chrono::hours(1), std::size_t{1} << 15},
    {"accounts", std::chrono::hours(1), std::size_t{1} << 15},
    {"email_addresses", std::chrono::hours(1), std::size_t{1} << 15},
    {"invited_addresses", std::chrono::hours(24), std::size_t{1} << 16},
}};

/// At most `limit` requests per window, which starts with the first of them.
struct rate_rule {
    /// The name of the policy. Rules with different names count separately.
    std::string_view name;
    rate_table table;
    std::uint32_t limit;

    constexpr std::chrono::seconds window() const
    {
        return rate_tables[static_cast<std::size_t>(table)].window;
    }
};

/// Why a request is over its limit, and when to retry.
struct rate_limit_error {
    rate_rule rule;
    std::chrono::seconds retry_after;
};

/// Counts by 64-bit hash of rule and subject. Thread-safe.
class rate_limiter {
public:
    using clock = std::chrono::steady_clock;
    using receipt = counter_table::receipt;

    static constexpr std::size_t default_slots = std::numeric_limits<std::size_t>::max();

    /// @param max_slots of each table
    explicit rate_limiter(std::size_t max_slots = default_slots);

    /** Divides every limit by the number of nodes, since each counts by itself: together they admit no more
        than one would, but at least one request each. */
    void share_among(std::size_t nodes);

    /** Counts a request of `subject`. A rejected request is not counted.
        @param counted receives the proof with which the count can be taken back; may be null
        @return nothing within the limit */
    std::optional<rate_limit_error> count(const rate_rule& rule, std::span<const std::uint8_t> subject,
                                          receipt* counted = nullptr, clock::time_point now = clock::now());

    /// Takes one count back, such as that of a successful login; once for each receipt.
    static void refund(const receipt& counted) { counter_table::refund(counted); }

    /// Requests that a table counted in overflow counters, because it was full.
    std::uint64_t overflows(rate_table of) const { return tables_[static_cast<std::size_t>(of)].overflows(); }

private:
    std::uint64_t key_of(const rate_rule& rule, std::span<const std::uint8_t> subject) const;
    std::uint32_t seconds(clock::time_point now) const;
    std::uint32_t share_of(const rate_rule& rule) const;

    std::deque<counter_table> tables_;
    clock::time_point epoch_;
    std::atomic<std::uint32_t> nodes_{1};
    /// Keyed hashing: a client cannot aim at one set.
    std::uint64_t seed_;
};

} // namespace handlers
