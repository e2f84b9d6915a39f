// How often somebody may ask: fixed windows counted in one table of atomics that all cores share.
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

/** One limit: at most `limit` in each `window`, which opens with the first request counted in it. */
struct rate_rule {
    std::string_view name; // of the policy, and apart from other rules' counts
    std::uint32_t limit;
    std::chrono::seconds window;
};

/** What a refused request is told. */
struct rate_refusal {
    rate_rule rule;
    std::chrono::seconds retry_after;
};

/** Counts by 64-bit hash in a fixed, set-associative table of atomics: exact in a process as long as the
    table is not crowded by more live subjects than it has room for (then the window nearest its end is
    forgotten). A count costs one hash and one compare-and-swap, some 20 ns; only a subject without a slot
    takes a lock. Memory is 16 bytes a slot. */
class rate_limiter {
public:
    using clock = std::chrono::steady_clock;

    /** @param slots rounded up to a power of two */
    explicit rate_limiter(std::size_t slots = std::size_t{1} << 18);

    /** From now on every limit is divided among so many servers, which count each by itself: together they
       let through no more than one would, but at least one request each. Any thread may call it. */
    void share_among(std::size_t servers);

    /** Count one request of `subject` under `rule`. What is refused is not counted.
        @return nothing if it is within the limit */
    std::optional<rate_refusal> count(const rate_rule& rule, std::span<const std::uint8_t> subject,
                                      clock::time_point now = clock::now());

    /** Whether the next request of `subject` would be refused. Counts nothing. */
    std::optional<rate_refusal> is_over(const rate_rule& rule, std::span<const std::uint8_t> subject,
                                        clock::time_point now = clock::now()) const;

    /** Take one count back, as of an attempt that turned out to be no abuse.
        @param counted when it was counted: what a later window has counted is somebody else's */
    void forgive(const rate_rule& rule, std::span<const std::uint8_t> subject,
                 clock::time_point counted = clock::now());

private:
    struct slot {
        std::atomic<std::uint64_t> key{0};   // hash of rule and subject; 0: never used
        std::atomic<std::uint64_t> state{0}; // end of the window in seconds (high half), count (low half)
    };

    std::uint64_t key_of(const rate_rule& rule, std::span<const std::uint8_t> subject) const;
    slot* find(std::uint64_t key) const;
    slot& claim(std::uint64_t key, std::uint32_t now);
    std::uint32_t seconds(clock::time_point now) const;
    std::uint32_t share_of(const rate_rule& rule) const;

    static constexpr std::size_t ways = 8;

    std::size_t sets_;
    std::unique_ptr<slot[]> slots_;
    std::array<std::mutex, 64> claiming_; // of the sets, by their low bits
    clock::time_point epoch_;
    std::atomic<std::uint32_t> servers_{1};
    std::uint64_t seed_; // so that nobody outside can aim at one set
};

} // namespace handlers
