#include "handlers/access/counter_table.hpp"

#include <algorithm>
#include <bit>
#include <cstdlib>

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

/// In the sum of shares: no further one is left.
constexpr std::uint32_t none_left = std::uint32_t{1} << 31;

/// The shares of a window.
struct granted_shares {
    std::uint32_t sum = 0;
    bool is_last = false;

    granted_shares(std::uint64_t shares, std::uint32_t end)
    {
        if (window_end(shares) != end)
            return;
        sum = count_of(shares) & ~none_left;
        is_last = (count_of(shares) & none_left) != 0;
    }
};

/// Whether a counter holds nothing that has to be remembered.
bool is_free(std::uint64_t state, std::uint64_t shares, std::uint32_t now)
{
    return window_end(state) <= now || (count_of(state) == 0 && window_end(shares) != window_end(state));
}

} // namespace

counter_table::counter_table(std::chrono::seconds window, std::size_t slots)
    : window_(static_cast<std::uint32_t>(window.count())),
      set_count_(std::bit_ceil(std::max(slots, ways)) / ways), sets_(new set[set_count_]),
      overflow_(new std::atomic<std::uint64_t>[set_count_ * ways]())
{}

/// Selected by other bits of the hash than the set.
std::atomic<std::uint64_t>& counter_table::overflow_of(std::uint64_t key) const
{
    return overflow_[(key >> 32) & (set_count_ * ways - 1)];
}

counter_table::slot counter_table::find(set& where, std::uint64_t key)
{
    for (std::size_t i = 0; i < ways; ++i)
        if (where.keys[i].load(std::memory_order_acquire) == key)
            return {&where.keys[i], &where.states[i], &where.shares[i]};
    return {};
}

/// A slot for a subject without one, under the set's lock. @return null if all are in use
counter_table::slot counter_table::claim(std::uint64_t key, std::uint32_t now)
{
    auto& where = set_of(key);
    for (std::size_t i = 0; i < ways; ++i) {
        if (!is_free(where.states[i].load(std::memory_order_relaxed),
                     where.shares[i].load(std::memory_order_relaxed), now))
            continue;
        // Requests of this subject that were counted in the overflow count on in the slot.
        auto state = overflow_of(key).load(std::memory_order_relaxed);
        where.keys[i].store(0, std::memory_order_release);
        where.states[i].store(is_free(state, 0, now) ? pack(now, 0) : state, std::memory_order_release);
        where.shares[i].store(0, std::memory_order_release);
        where.keys[i].store(key, std::memory_order_release);
        return {&where.keys[i], &where.states[i], &where.shares[i]};
    }
    return {};
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
        auto limit = allowed.limit;
        bool may_get_more = false;
        if (allowed.is_shared && to.shares) {
            granted_shares shares(is_new ? 0 : to.shares->load(std::memory_order_acquire), end);
            limit = std::min(limit, allowed.without_share + shares.sum);
            may_get_more = !shares.is_last && limit < allowed.limit;
        } else if (allowed.is_shared) {
            limit = allowed.in_overflow;
        }
        if (count >= limit) {
            out.verdict = may_get_more ? verdict::needs_share : verdict::refused;
            out.retry_after = std::chrono::seconds(end - now);
            return out;
        }
        next = pack(end, count + 1);
        out.will_need_share = may_get_more && count + 1 == limit - std::min(limit / 4, 32u);
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
        known = claim(key, now);
    if (known.state)
        return add(known, allowed, now);
    overflows_.fetch_add(1, std::memory_order_relaxed);
    return add({nullptr, &overflow_of(key), nullptr}, allowed, now);
}

void counter_table::grant(std::uint64_t key, std::uint32_t granted, std::uint32_t seconds_left,
                          std::uint32_t now)
{
    std::lock_guard guard(lock_of(key));
    auto known = find(set_of(key), key);
    if (!known.state)
        known = claim(key, now);
    if (!known.state) // the overflow gets no shares
        return;
    const auto end_of_all = now + std::max(seconds_left, 1u);
    auto seen = known.state->load(std::memory_order_acquire);
    std::uint64_t next;
    std::uint32_t sum;
    do {
        auto end = end_of_all;
        bool is_live = window_end(seen) > now;
        auto count = is_live ? count_of(seen) : 0;
        sum = granted;
        auto shares = known.shares->load(std::memory_order_relaxed);
        if (is_live && window_end(shares) == window_end(seen)) {
            // Seconds are rounded: the window is the same if its end differs by one. Else a window of all
            // nodes has ended before the one here.
            auto difference = static_cast<std::int64_t>(window_end(seen)) - end_of_all;
            if (std::abs(difference) <= 1) {
                end = window_end(seen);
                sum += granted_shares(shares, end).sum;
            } else {
                count = 0;
            }
        }
        next = pack(end, count);
    } while (!known.state->compare_exchange_weak(seen, next, std::memory_order_acq_rel));
    known.shares->store(pack(window_end(next), granted == 0 ? sum | none_left : sum),
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
