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
#include <span>
#include <string_view>

namespace handlers {

/** The tables: rules with the same window, of subjects that come into being in the same way. Filling
    one table reaches the counters of no other. */
enum class rate_table : std::uint8_t {
    /// Credentials that exist.
    credentials,
    /// Client addresses.
    addresses,
    /// Each counter costs a password hash, and a wrong guess makes several counters.
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
    /// Of overflow counters: one for each rule.
    std::size_t lanes;
};

/// In the order of rate_table.
inline constexpr std::array<rate_table_settings, 8> rate_tables{{
    {"credentials", std::chrono::minutes(1), std::size_t{1} << 18, 1},
    {"addresses", std::chrono::minutes(1), std::size_t{1} << 16, 1},
    {"password_guesses", std::chrono::minutes(1), std::size_t{1} << 15, 8},
    {"password_guesses_hourly", std::chrono::hours(1), std::size_t{1} << 15, 1},
    {"address_actions", std::chrono::hours(1), std::size_t{1} << 15, 8},
    {"accounts", std::chrono::hours(1), std::size_t{1} << 15, 6},
    {"email_addresses", std::chrono::hours(1), std::size_t{1} << 15, 2},
    {"invited_addresses", std::chrono::hours(24), std::size_t{1} << 16, 1},
}};

/// At most `limit` requests per window, which starts with the first of them.
struct rate_rule {
    /// The name of the policy. Rules with different names count separately.
    std::string_view name;
    rate_table table;
    std::uint32_t limit;
    /// Of the table's overflow counters. No other rule has it.
    std::size_t lane = 0;
    /// Whether it limits guesses of a secret: without an answer of the database a node then has its part.
    bool limits_guesses = false;

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

/// A share of a limit that a node needs to admit more requests of a subject in this window.
struct needed_share {
    /// Hash of rule and subject, the same on all nodes.
    std::uint64_t key;
    rate_rule rule;
};

/** Counts by 64-bit hash of rule and subject. Thread-safe.

    Several nodes share a limit L without asking each other at every request. Of a subject's requests in a
    window, each of N nodes admits L / 10N by itself, and all others from shares that it takes from one
    counter for all nodes (db::rate_quotas), which hands out L. Both hold at any speed, since a request for
    which there is no share waits for one:
    - A subject on one node has its whole limit: the shares sum up to L.
    - A subject that spreads over all has at most 1.2 L: L in shares, and L / 10N twice on each node, in two
      windows of that node that overlap one of all nodes. A window becomes one of all nodes with the first
      share.

    Only subjects beyond a tenth of their part cost anything, and of these a share is requested before the
    last one is used up: a client that uses its whole limit of 1000 on one of three nodes takes 17 shares,
    most clients one or two. All subjects of a core that need one travel in one statement.

    Without an answer of the database a node admits the whole limit, or L / N where guesses are limited. A
    subject without a slot of its own (see counter_table) has L / N on each node. */
class rate_limiter {
public:
    using clock = std::chrono::steady_clock;
    using receipt = counter_table::receipt;
    using verdict = counter_table::verdict;

    static constexpr std::size_t default_slots = std::numeric_limits<std::size_t>::max();

    /// @param seed of the hashes, secret, so that no client can aim at a counter; the same on all nodes
    /// @param max_slots of each table
    explicit rate_limiter(std::uint64_t seed, std::size_t max_slots = default_slots);

    /// The number of nodes that share the limits, this one included.
    void share_among(std::size_t nodes);
    std::size_t nodes() const { return nodes_.load(std::memory_order_relaxed); }

    struct outcome {
        rate_limiter::verdict verdict = verdict::admitted;
        /// Of an admitted request: a share will be needed soon, and should be taken.
        bool will_need_share = false;
        std::chrono::seconds retry_after{0};
        receipt counted;
        needed_share share;
    };

    /// Counts a request of `subject`, if it is admitted.
    outcome count(const rate_rule& rule, std::span<const std::uint8_t> subject,
                  clock::time_point now = clock::now());

    /** Grants a share of a limit.
        @param granted requests; 0: nothing is left in the window
        @param left of the window of all nodes */
    void grant(const needed_share& of, std::uint32_t granted, std::chrono::seconds left,
               clock::time_point now = clock::now());

    /** Whether the next request of a subject would be refused, though it is not counted. For a limit that
        other nodes share, as far as this one knows. */
    bool is_refused(const rate_rule& rule, std::span<const std::uint8_t> subject,
                    clock::time_point now = clock::now());

    /** Lets this node go on by itself until the subject's window ends, since the database does not answer:
        to the whole limit, or to its part where guesses are limited. What has been counted stays counted. */
    void grant_without_answer(const needed_share& of, clock::time_point now = clock::now());

    /// Takes one count back, such as that of a successful login; once for each receipt.
    static void refund(const receipt& counted) { counter_table::refund(counted); }

    /// Requests that a table counted in overflow counters, because it was full.
    std::uint64_t overflows(rate_table of) const { return tables_[static_cast<std::size_t>(of)].overflows(); }

private:
    std::uint64_t key_of(const rate_rule& rule, std::span<const std::uint8_t> subject) const;
    std::uint32_t seconds(clock::time_point now) const;
    counter_table::allowance allowance_of(const rate_rule& rule) const;
    counter_table& table_of(const rate_rule& rule) { return tables_[static_cast<std::size_t>(rule.table)]; }

    std::deque<counter_table> tables_;
    clock::time_point epoch_;
    std::atomic<std::uint32_t> nodes_{1};
    std::uint64_t seed_;
};

} // namespace handlers
