#include "handlers/access/counter_table.hpp"

#include <algorithm>
#include <bit>

namespace handlers {

namespace {

std::uint32_t window_end(std::uint64_t state)
{
    return static_cast<std::uint32_t>(state >> 32);
}
std::uint32_t count_of(std::uint64_t state)
{
    return static_cast<std::uint32_t>(state);
}
std::uint64_t pack(std::uint32_t end, std::uint32_t count)
{
    return (std::uint64_t{end} << 32) | count;
}

// In the sum of shares.
/// No further one is left.
constexpr std::uint32_t none_left = std::uint32_t{1} << 31;
/// The sum was raised without an answer.
constexpr std::uint32_t is_raised = std::uint32_t{1} << 30;
constexpr std::uint32_t largest_sum = is_raised - 1;

/// The shares of a window.
struct granted_shares {
    std::uint32_t sum = 0;
    bool is_last = false, was_raised = false;

    granted_shares(std::uint64_t shares, std::uint32_t end)
    {
        if (window_end(shares) != end)
            return;
        sum = count_of(shares) & largest_sum;
        is_last = (count_of(shares) & none_left) != 0;
        was_raised = (count_of(shares) & is_raised) != 0;
    }
};

std::uint64_t pack_shares(std::uint32_t end, std::uint64_t sum, std::uint32_t flags)
{
    return pack(end, static_cast<std::uint32_t>(std::min<std::uint64_t>(sum, largest_sum)) | flags);
}

/// The bit of a subject in the Bloom filter of its overflow counter.
std::uint64_t member_bit(std::uint64_t key)
{
    return std::uint64_t{1} << (key >> 58);
}

/// Whether a counter holds nothing that has to be remembered.
bool is_free(std::uint64_t state, std::uint64_t shares, std::uint32_t now)
{
    return window_end(state) <= now || (count_of(state) == 0 && window_end(shares) != window_end(state));
}

} // namespace

counter_table::counter_table(std::chrono::seconds window, std::size_t slots, std::size_t lanes)
    : window_(static_cast<std::uint32_t>(window.count())),
      set_count_(std::bit_ceil(std::max(slots, ways)) / ways), sets_(set_count_),
      overflow_(set_count_ * overflows_of_set * lanes)
{}

/// Of the subject's set, and selected by other bits of the hash.
counter_table::overflow& counter_table::overflow_of(std::uint64_t key, std::size_t lane)
{
    auto set = lane * set_count_ + (key & (set_count_ - 1));
    return overflow_[set * overflows_of_set + (key >> 32) % overflows_of_set];
}

counter_table::slot counter_table::find(set& where, std::uint64_t key)
{
    for (std::size_t i = 0; i < ways; ++i)
        if (where.keys[i].load(std::memory_order_acquire) == key)
            return {&where.keys[i], &where.states[i], &where.shares[i]};
    return {};
}

/// A slot for a subject without one, under the set's lock. @return null if all are in use
counter_table::slot counter_table::claim(std::uint64_t key, std::size_t lane, std::uint32_t now)
{
    // Requests of this subject that were counted in the overflow count on in the slot.
    auto& shared = overflow_of(key, lane);
    auto state = shared.state.load(std::memory_order_relaxed);
    if (is_free(state, 0, now) || (shared.members & member_bit(key)) == 0)
        state = pack(now, 0);

    auto& where = set_of(key);
    for (std::size_t i = 0; i < ways; ++i) {
        auto seen = where.states[i].load(std::memory_order_acquire);
        if (!is_free(seen, where.shares[i].load(std::memory_order_relaxed), now))
            continue;
        // Requests of the previous subject are counted without the lock. Without its key, each of them makes
        // the exchange fail, or comes after it, finds the key gone and takes its count back.
        auto previous = where.keys[i].load(std::memory_order_relaxed);
        where.keys[i].store(0, std::memory_order_release);
        if (!where.states[i].compare_exchange_strong(seen, state, std::memory_order_acq_rel)) {
            where.keys[i].store(previous, std::memory_order_release);
            continue;
        }
        where.shares[i].store(0, std::memory_order_release);
        where.keys[i].store(key, std::memory_order_release);
        return {&where.keys[i], &where.states[i], &where.shares[i]};
    }
    return {};
}

/// How many requests of a subject are admitted. @param end of the window; 0: it begins now
counter_table::admissible counter_table::admissible_now(const slot& of, const allowance& allowed,
                                                        std::uint32_t end)
{
    if (!allowed.is_shared)
        return {allowed.limit, false};
    if (!of.shares)
        return {allowed.in_overflow, false};
    granted_shares shares(end == 0 ? 0 : of.shares->load(std::memory_order_acquire), end);
    auto count = std::min(allowed.limit, allowed.without_share + shares.sum);
    return {count, !shares.is_last && count < allowed.limit};
}

/// @param to a slot; without key and shares, an overflow counter
counter_table::outcome counter_table::add(const slot& to, const allowance& allowed, std::uint32_t now) const
{
    outcome out;
    auto seen = to.state->load(std::memory_order_acquire);
    std::uint64_t next;
    do {
        bool is_new = window_end(seen) <= now;
        auto end = is_new ? now + window_ : window_end(seen);
        auto count = is_new ? 0 : count_of(seen);
        auto limit = admissible_now(to, allowed, is_new ? 0 : end);
        if (count >= limit.count) {
            out.verdict = limit.may_grow ? verdict::needs_share : verdict::refused;
            out.retry_after = std::chrono::seconds(end - now);
            return out;
        }
        next = pack(end, count + 1);
        out.will_need_share = limit.may_grow && count + 1 == limit.count - std::min(limit.count / 4, 32u);
    } while (!to.state->compare_exchange_weak(seen, next, std::memory_order_acq_rel));
    out.counted.state = to.state;
    out.counted.window_end = window_end(next);
    return out;
}

counter_table::outcome counter_table::count(std::uint64_t key, const allowance& allowed, std::uint32_t now)
{
    for (;;) {
        auto known = find(set_of(key), key);
        if (!known.state)
            return count_unknown(key, allowed, now);
        auto out = add(known, allowed, now);
        // A slot may have become another subject's meanwhile.
        if (known.key->load(std::memory_order_acquire) == key)
            return out;
        if (out.verdict == verdict::admitted)
            refund(out.counted);
    }
}

/// Counts a request of a subject without a slot.
counter_table::outcome counter_table::count_unknown(std::uint64_t key, const allowance& allowed,
                                                    std::uint32_t now)
{
    // The lock keeps two cores from giving a subject two slots, and the subject from counting in the overflow
    // after its count there was taken along.
    std::lock_guard guard(lock_of(key));
    auto known = find(set_of(key), key);
    if (!known.state)
        known = claim(key, allowed.lane, now);
    if (known.state)
        return add(known, allowed, now);
    overflows_.fetch_add(1, std::memory_order_relaxed);
    auto& shared = overflow_of(key, allowed.lane);
    if (window_end(shared.state.load(std::memory_order_relaxed)) <= now)
        shared.members = 0;
    auto out = add({nullptr, &shared.state, nullptr}, allowed, now);
    if (out.verdict == verdict::admitted)
        shared.members |= member_bit(key);
    return out;
}

bool counter_table::is_refused(std::uint64_t key, const allowance& allowed, std::uint32_t now)
{
    std::lock_guard guard(lock_of(key));
    auto known = find(set_of(key), key);
    auto& shared = overflow_of(key, allowed.lane);
    if (!known.state && (shared.members & member_bit(key)) != 0)
        known.state = &shared.state;
    if (!known.state)
        return false;
    auto seen = known.state->load(std::memory_order_acquire);
    if (window_end(seen) <= now)
        return false;
    auto limit = admissible_now(known, allowed, window_end(seen));
    return count_of(seen) >= limit.count && !limit.may_grow;
}

void counter_table::grant(std::uint64_t key, std::size_t lane, std::uint32_t granted,
                          std::uint32_t seconds_left, std::uint32_t now)
{
    std::lock_guard guard(lock_of(key));
    auto known = find(set_of(key), key);
    if (!known.state)
        known = claim(key, lane, now);
    if (!known.state) // the overflow gets no shares
        return;
    const auto end_of_all = now + std::max(seconds_left, 1u);
    auto seen = known.state->load(std::memory_order_acquire);
    std::uint64_t next;
    granted_shares earlier(0, 0);
    do {
        bool is_live = window_end(seen) > now;
        auto end = end_of_all;
        earlier = granted_shares(0, 0);
        if (is_live) {
            earlier = granted_shares(known.shares->load(std::memory_order_relaxed), window_end(seen));
            // Seconds are rounded: the window is the same if its end differs by one. Else it becomes that of
            // all nodes. Its count is kept all the same: no failure of the database lets a subject start
            // over.
            bool is_same = std::max(window_end(seen), end) - std::min(window_end(seen), end) <= 1;
            if (is_same && earlier.sum > 0)
                end = window_end(seen);
            else if (!is_same && !earlier.was_raised)
                earlier.sum = 0;
        }
        next = pack(end, is_live ? count_of(seen) : 0);
    } while (!known.state->compare_exchange_weak(seen, next, std::memory_order_acq_rel));
    auto sum = earlier.was_raised ? std::max(earlier.sum, granted) : std::uint64_t{earlier.sum} + granted;
    known.shares->store(pack_shares(window_end(next), sum, granted == 0 ? none_left : 0),
                        std::memory_order_release);
}

void counter_table::raise_shares(std::uint64_t key, std::size_t lane, std::uint32_t sum, std::uint32_t now)
{
    std::lock_guard guard(lock_of(key));
    auto known = find(set_of(key), key);
    if (!known.state)
        known = claim(key, lane, now);
    if (!known.state)
        return;
    auto seen = known.state->load(std::memory_order_acquire);
    auto next = seen;
    do {
        next = window_end(seen) > now ? seen : pack(now + window_, 0);
    } while (!known.state->compare_exchange_weak(seen, next, std::memory_order_acq_rel));
    granted_shares earlier(known.shares->load(std::memory_order_relaxed), window_end(next));
    known.shares->store(pack_shares(window_end(next), std::max(earlier.sum, sum), none_left | is_raised),
                        std::memory_order_release);
}

void counter_table::refund(const receipt& counted)
{
    if (!counted.state)
        return;
    auto state = counted.state->load(std::memory_order_relaxed);
    while (window_end(state) == counted.window_end && count_of(state) > 0 &&
           !counted.state->compare_exchange_weak(state, state - 1, std::memory_order_acq_rel)) {
    }
}

} // namespace handlers
