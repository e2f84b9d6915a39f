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

/// Whether a counter holds nothing that has to be remembered.
bool is_free(std::uint64_t state, std::uint32_t now)
{
    return window_end(state) <= now || count_of(state) == 0;
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
            return {&where.keys[i], &where.states[i]};
    return {};
}

/// A slot for a subject without one, under the set's lock. @return null if all are in use
counter_table::slot counter_table::claim(std::uint64_t key, std::uint32_t now)
{
    auto& where = set_of(key);
    for (std::size_t i = 0; i < ways; ++i) {
        if (!is_free(where.states[i].load(std::memory_order_relaxed), now))
            continue;
        // Requests of this subject that were counted in the overflow count on in the slot.
        auto state = overflow_of(key).load(std::memory_order_relaxed);
        where.keys[i].store(0, std::memory_order_release);
        where.states[i].store(is_free(state, now) ? pack(now, 0) : state, std::memory_order_release);
        where.keys[i].store(key, std::memory_order_release);
        return {&where.keys[i], &where.states[i]};
    }
    return {};
}

counter_table::outcome counter_table::add(std::atomic<std::uint64_t>& state, std::uint32_t limit,
                                          std::uint32_t now) const
{
    outcome out;
    auto seen = state.load(std::memory_order_relaxed);
    std::uint64_t next;
    do {
        if (window_end(seen) <= now) {
            next = pack(now + window_, 1);
        } else if (count_of(seen) < limit) {
            next = seen + 1;
        } else {
            out.is_admitted = false;
            out.retry_after = std::chrono::seconds(window_end(seen) - now);
            return out;
        }
    } while (!state.compare_exchange_weak(seen, next, std::memory_order_acq_rel));
    out.counted.state = &state;
    out.counted.window_end = window_end(next);
    return out;
}

counter_table::outcome counter_table::count(std::uint64_t key, std::uint32_t limit, std::uint32_t now)
{
    for (;;) {
        auto known = find(set_of(key), key);
        if (!known.state)
            return count_unknown(key, limit, now);
        auto out = add(*known.state, limit, now);
        // A slot whose window has just ended may have become another subject's meanwhile.
        if (known.key->load(std::memory_order_acquire) == key)
            return out;
        if (out.is_admitted)
            refund(out.counted);
    }
}

/// Counts a request of a subject without a slot.
counter_table::outcome counter_table::count_unknown(std::uint64_t key, std::uint32_t limit, std::uint32_t now)
{
    // The lock keeps two cores from giving a subject two slots, and the subject from counting in the overflow
    // after its count there was taken along.
    std::lock_guard guard(lock_of(key));
    auto known = find(set_of(key), key);
    if (!known.state)
        known = claim(key, now);
    if (known.state)
        return add(*known.state, limit, now);
    overflows_.fetch_add(1, std::memory_order_relaxed);
    return add(overflow_of(key), limit, now);
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
