// Rate limiter: fixed windows, counted in one table of atomics that all cores share.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <string_view>

namespace handlers {

/// At most `limit` requests per `window`, which starts with its first request.
struct rate_rule {
    /// The name of the policy. Rules with different names count separately.
    std::string_view name;
    std::uint32_t limit;
    std::chrono::seconds window;
};

/// Why a request is over its limit, and when to retry.
struct rate_limit_error {
    rate_rule rule;
    std::chrono::seconds retry_after;
};

/** Counts by 64-bit hash in a fixed, set-associative table of atomics: exact in a process as long as the
    table holds all live subjects (beyond that, the window nearest its end is evicted). A count costs one hash
    and one compare-and-swap, about 20 ns; only a subject without a slot takes a lock. 16 bytes per slot. */
class rate_limiter {
public:
    using clock = std::chrono::steady_clock;

    /// @param slots rounded up to a power of two
    explicit rate_limiter(std::size_t slots = std::size_t{1} << 18);

    /** Divides every limit by the number of nodes, since each counts by itself: together they admit no more
        than one would, but at least one request each. Thread-safe. */
    void share_among(std::size_t nodes);

    /// Counts a request of `subject`. A rejected request is not counted. @return nothing within the limit
    std::optional<rate_limit_error> count(const rate_rule& rule, std::span<const std::uint8_t> subject,
                                          clock::time_point now = clock::now());

    /// Whether the next request of `subject` would be over the limit. Counts nothing.
    std::optional<rate_limit_error> is_over(const rate_rule& rule, std::span<const std::uint8_t> subject,
                                            clock::time_point now = clock::now()) const;

    /** Takes one count back, such as that of a successful login.
        @param counted when it was counted: counts of a later window are not touched */
    void refund(const rate_rule& rule, std::span<const std::uint8_t> subject,
                clock::time_point counted = clock::now());

private:
    struct slot {
        /// Hash of rule and subject; 0: never used.
        std::atomic<std::uint64_t> key{0};
        /// End of the window in seconds (high half), count (low half).
        std::atomic<std::uint64_t> state{0};
    };

    std::uint64_t key_of(const rate_rule& rule, std::span<const std::uint8_t> subject) const;
    slot* find(std::uint64_t key) const;
    slot& claim(std::uint64_t key, std::uint32_t now);
    std::uint32_t seconds(clock::time_point now) const;
    std::uint32_t share_of(const rate_rule& rule) const;

    static constexpr std::size_t ways = 8;

    std::size_t sets_;
    std::unique_ptr<slot[]> slots_;
    /// Striped locks of the sets.
    std::array<std::mutex, 64> claim_locks_;
    clock::time_point epoch_;
    std::atomic<std::uint32_t> nodes_{1};
    /// Keyed hashing: a client cannot aim at one set.
    std::uint64_t seed_;
};

} // namespace handlers
