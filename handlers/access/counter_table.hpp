// Counter table: counts requests by subject in fixed windows. A bounded table of atomics that never
// undercounts.
#pragma once

#include "db/principals/zeroed_array.hpp"

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <mutex>

namespace handlers {

/** Counters of one window length in a set-associative table that all cores share.

    A subject's window begins with its first request. A live counter is never evicted: a subject that finds
    its set full is counted in an overflow counter, which it shares, window and count, with others by its hash
    (as in a count-min sketch: Cormode and Muthukrishnan, 2005), and takes that count along when a slot
    becomes free. So in a crowded table the count of a subject may be too high, never too low, and no number
    of other subjects makes the table forget one. A slot is free when its window has ended, or all its counts
    were refunded.

    The subjects of rules with different limits share no overflow counter: each rule has a lane of them. Else
    the counts that a generous rule admits would exhaust a strict one. And an overflow counter remembers in a
    Bloom filter which subjects it has counted, so that a subject that comes once there is room again starts
    at zero.

    Several nodes share a limit: see rate_limiter. A subject then has, in a window, what it may count without
    asking and the shares that were granted to it; its window ends with that of all nodes.

    A count of a known subject costs two cache lines (three where nodes share it) and one compare-and-swap,
   about 20 ns. A new subject, or one without a slot, takes a lock. 32 bytes per slot, resident as it is used.
 */
class counter_table {
public:
    /// @param window at most a year
    /// @param slots rounded up to a power of two, at least 8
    /// @param lanes of overflow counters: one for each limit
    counter_table(std::chrono::seconds window, std::size_t slots, std::size_t lanes = 1);

    /// Proof of a count, with which it can be taken back.
    class receipt {
        friend counter_table;
        std::atomic<std::uint64_t>* state = nullptr;
        std::uint32_t window_end = 0;
    };

    /// The requests of a subject that are admitted in one window.
    struct allowance {
        std::uint32_t limit = 0;
        /// Of the overflow counters; below the number of lanes.
        std::size_t lane = 0;
        /// Whether other nodes count too. Then, instead of the limit:
        bool is_shared = false;
        /// Requests without a share.
        std::uint32_t without_share = 0;
        /// Requests of all subjects that share an overflow counter, which gets no shares. At least one.
        std::uint32_t in_overflow = 0;
    };

    enum class verdict : std::uint8_t { admitted, refused, needs_share };
    struct outcome {
        counter_table::verdict verdict = verdict::admitted;
        /// Admitted, and soon the subject will need a share: said once before each.
        bool will_need_share = false;
        /// To the end of the window, if refused; at least one.
        std::chrono::seconds retry_after{0};
        receipt counted;
    };

    /** Counts a request, if it is admitted. Thread-safe.
        @param key hash of the subject; not 0
        @param now seconds of a monotonic clock, from 1 on */
    outcome count(std::uint64_t key, const allowance& allowed, std::uint32_t now);

    /// Whether a subject has used up what it may count, for its next request to be refused. Counts nothing;
    /// in the overflow, false for a subject that has not been counted there. Thread-safe.
    bool is_refused(std::uint64_t key, const allowance& allowed, std::uint32_t now);

    /** Grants a subject a share of the limit. Its count stays. Thread-safe.
        @param lane of its overflow counter
        @param granted requests; 0: nothing is left
        @param seconds_left to the end of the window of all nodes */
    void grant(std::uint64_t key, std::size_t lane, std::uint32_t granted, std::uint32_t seconds_left,
               std::uint32_t now);

    /** Raises the shares of a subject's current window to a sum, and grants no more in it until a share
        arrives: the other nodes cannot be asked. Its count and its window stay. Thread-safe. */
    void raise_shares(std::uint64_t key, std::size_t lane, std::uint32_t sum, std::uint32_t now);

    /// Takes a count back, unless its window has ended. Once for each receipt.
    static void refund(const receipt& counted);

    /// Requests counted in overflow counters so far.
    std::uint64_t overflows() const { return overflows_.load(std::memory_order_relaxed); }

private:
    static constexpr std::size_t ways = 8;
    /// Of a set, in each lane.
    static constexpr std::size_t overflows_of_set = 4;

    /// A set's keys are one cache line, and so are its states, and its shares.
    struct alignas(64) set {
        /// 0: never used.
        std::array<std::atomic<std::uint64_t>, ways> keys{};
        /// End of the window in seconds (high half), count (low half).
        std::array<std::atomic<std::uint64_t>, ways> states{};
        /// End of the window that the shares are of (high half), their sum (low half).
        std::array<std::atomic<std::uint64_t>, ways> shares{};
    };
    /// A subject's slot. Null: it has none.
    struct slot {
        std::atomic<std::uint64_t>* key = nullptr;
        std::atomic<std::uint64_t>* state = nullptr;
        std::atomic<std::uint64_t>* shares = nullptr;
    };

    /// A counter that subjects without a slot share. Changed under the set's lock, but for refunds.
    struct overflow {
        /// As that of a slot.
        std::atomic<std::uint64_t> state{0};
        /// Bloom filter of the subjects counted in this window.
        std::uint64_t members = 0;
    };

    set& set_of(std::uint64_t key) { return sets_[key & (set_count_ - 1)]; }
    overflow& overflow_of(std::uint64_t key, std::size_t lane);
    std::mutex& lock_of(std::uint64_t key) { return locks_[(key & (set_count_ - 1)) % locks_.size()]; }

    /// How many requests are admitted in a window now, and whether a share would admit more.
    struct admissible {
        std::uint32_t count = 0;
        bool may_grow = false;
    };

    static slot find(set& where, std::uint64_t key);
    static admissible admissible_now(const slot& of, const allowance& allowed, std::uint32_t end);
    slot claim(std::uint64_t key, std::size_t lane, std::uint32_t now);
    outcome add(const slot& to, const allowance& allowed, std::uint32_t now) const;
    outcome count_unknown(std::uint64_t key, const allowance& allowed, std::uint32_t now);

    std::uint32_t window_;
    std::size_t set_count_;
    /// A counter of zero bytes has counted nothing.
    db::zeroed_array<set> sets_;
    db::zeroed_array<overflow> overflow_;
    std::atomic<std::uint64_t> overflows_{0};
    /// Striped locks of the sets, for subjects without a slot.
    std::array<std::mutex, 64> locks_;
};

} // namespace handlers
