// Counter table: counts requests by subject in fixed windows. A bounded table of atomics that never
// undercounts.
#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>

namespace handlers {

/** Counters of one window length in a set-associative table that all cores share.

    A subject's window begins with its first request. A live counter is never evicted: a subject that finds
    its set full is counted in an overflow counter, which it shares, window and count, with others by its hash
    (as in a count-min sketch: Cormode and Muthukrishnan, 2005), and takes that count along when a slot
   becomes free. So in a crowded table the count of a subject may be too high, never too low, and no number of
   other subjects makes the table forget one. A slot is free when its window has ended, or all its counts were
    refunded.

    Several nodes share a limit: see rate_limiter. A subject then has, in a window, what it may count without
    asking and the shares that were granted to it; its window ends with that of all nodes.

    A count of a known subject costs two cache lines and one compare-and-swap, about 20 ns. A new subject, or
    one without a slot, takes a lock. 32 bytes per slot. */
class counter_table {
public:
    /// @param window at most a year
    /// @param slots rounded up to a power of two, at least 8
    counter_table(std::chrono::seconds window, std::size_t slots);

    /// Proof of a count, with which it can be taken back.
    class receipt {
        friend counter_table;
        std::atomic<std::uint64_t>* state = nullptr;
        std::uint32_t window_end = 0;
    };

    /// The requests of a subject that are admitted in one window.
    struct allowance {
        std::uint32_t limit = 0;
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

    /** Grants a subject a share of the limit. Thread-safe.
        @param granted requests; 0: nothing is left
        @param seconds_left to the end of the window of all nodes */
    void grant(std::uint64_t key, std::uint32_t granted, std::uint32_t seconds_left, std::uint32_t now);

    /// Takes a count back, unless its window has ended. Once for each receipt.
    static void refund(const receipt& counted);

    /// Requests counted in overflow counters so far.
    std::uint64_t overflows() const { return overflows_.load(std::memory_order_relaxed); }

private:
    static constexpr std::size_t ways = 8;

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

    set& set_of(std::uint64_t key) const { return sets_[key & (set_count_ - 1)]; }
    std::atomic<std::uint64_t>& overflow_of(std::uint64_t key) const;
    std::mutex& lock_of(std::uint64_t key) { return locks_[(key & (set_count_ - 1)) % locks_.size()]; }

    static slot find(set& where, std::uint64_t key);
    slot claim(std::uint64_t key, std::uint32_t now);
    outcome add(const slot& to, const allowance& allowed, std::uint32_t now) const;
    outcome count_unknown(std::uint64_t key, const allowance& allowed, std::uint32_t now);

    std::uint32_t window_;
    std::size_t set_count_;
    std::unique_ptr<set[]> sets_;
    /// As many as slots. States as of a slot, each of all subjects with a hash that selects it.
    std::unique_ptr<std::atomic<std::uint64_t>[]> overflow_;
    std::atomic<std::uint64_t> overflows_{0};
    /// Striped locks of the sets, for subjects without a slot.
    std::array<std::mutex, 64> locks_;
};

} // namespace handlers
