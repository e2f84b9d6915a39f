#include "handlers/access/rate_limiter.hpp"

#include "crypto/random.hpp"

#include <algorithm>
#include <bit>
#include <cstring>

namespace handlers {

namespace {

std::uint64_t mix(std::uint64_t h)
{
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    h ^= h >> 32;
    h *= 0xd6e8feb86659fd93u;
    return h ^ (h >> 32);
}

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

} // namespace

rate_limiter::rate_limiter(std::size_t slots)
    : sets_(std::bit_ceil(slots < ways ? ways : slots) / ways), slots_(new slot[sets_ * ways]),
      epoch_(clock::now() - std::chrono::seconds(1))
{
    auto bytes = crypto::random_bytes<sizeof seed_>();
    std::memcpy(&seed_, bytes.data(), sizeof seed_);
}

std::uint32_t rate_limiter::seconds(clock::time_point now) const
{
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(now - epoch_).count());
}

void rate_limiter::share_among(std::size_t nodes)
{
    nodes_.store(static_cast<std::uint32_t>(std::max(nodes, std::size_t{1})), std::memory_order_relaxed);
}

std::uint32_t rate_limiter::share_of(const rate_rule& rule) const
{
    return std::max(rule.limit / nodes_.load(std::memory_order_relaxed), 1u);
}

std::uint64_t rate_limiter::key_of(const rate_rule& rule, std::span<const std::uint8_t> subject) const
{
    auto h = seed_;
    auto absorb = [&h](const void* data, std::size_t size) {
        auto p = static_cast<const std::uint8_t*>(data);
        for (; size >= 8; p += 8, size -= 8) {
            std::uint64_t word;
            std::memcpy(&word, p, 8);
            h = mix(h ^ word);
        }
        std::uint64_t tail = size;
        for (std::size_t i = 0; i < size; ++i)
            tail = (tail << 8) | p[i];
        h = mix(h ^ tail);
    };
    absorb(rule.name.data(), rule.name.size());
    absorb(subject.data(), subject.size());
    // 0 marks an unused slot.
    return h | 1;
}

rate_limiter::slot* rate_limiter::find(std::uint64_t key) const
{
    auto* set = &slots_[((key >> 1) & (sets_ - 1)) * ways];
    for (std::size_t i = 0; i < ways; ++i)
        if (set[i].key.load(std::memory_order_acquire) == key)
            return &set[i];
    return nullptr;
}

rate_limiter::slot& rate_limiter::claim(std::uint64_t key, std::uint32_t now)
{
    if (auto known = find(key))
        return *known;
    // A new subject. The lock keeps two cores from giving it two slots.
    auto index = (key >> 1) & (sets_ - 1);
    std::lock_guard guard(claim_locks_[index % claim_locks_.size()]);
    if (auto known = find(key))
        return *known;
    auto* set = &slots_[index * ways];
    auto* victim = std::min_element(set, set + ways, [](const slot& a, const slot& b) {
        return window_end(a.state.load(std::memory_order_relaxed)) <
               window_end(b.state.load(std::memory_order_relaxed));
    });
    victim->key.store(0, std::memory_order_release);
    victim->state.store(pack(now, 0), std::memory_order_release);
    victim->key.store(key, std::memory_order_release);
    return *victim;
}

std::optional<rate_limit_error>
rate_limiter::count(const rate_rule& rule, std::span<const std::uint8_t> subject, clock::time_point at)
{
    auto now = seconds(at);
    auto& slot = claim(key_of(rule, subject), now);
    auto limit = share_of(rule);
    auto state = slot.state.load(std::memory_order_relaxed);
    std::uint64_t next;
    do {
        if (window_end(state) <= now)
            next = pack(now + static_cast<std::uint32_t>(rule.window.count()), 1);
        else if (count_of(state) < limit)
            next = state + 1;
        else
            return rate_limit_error{rule, std::chrono::seconds(window_end(state) - now)};
    } while (!slot.state.compare_exchange_weak(state, next, std::memory_order_acq_rel));
    return std::nullopt;
}

std::optional<rate_limit_error> rate_limiter::is_over(const rate_rule& rule,
                                                      std::span<const std::uint8_t> subject,
                                                      clock::time_point at) const
{
    auto now = seconds(at);
    auto slot = find(key_of(rule, subject));
    if (!slot)
        return std::nullopt;
    auto state = slot->state.load(std::memory_order_relaxed);
    if (window_end(state) <= now || count_of(state) < share_of(rule))
        return std::nullopt;
    return rate_limit_error{rule, std::chrono::seconds(window_end(state) - now)};
}

void rate_limiter::refund(const rate_rule& rule, std::span<const std::uint8_t> subject,
                          clock::time_point counted)
{
    auto slot = find(key_of(rule, subject));
    if (!slot)
        return;
    auto end_of_window = seconds(counted) + static_cast<std::uint32_t>(rule.window.count());
    auto state = slot->state.load(std::memory_order_relaxed);
    while (count_of(state) > 0 && window_end(state) <= end_of_window &&
           !slot->state.compare_exchange_weak(state, state - 1, std::memory_order_acq_rel)) {
    }
}

} // namespace handlers
