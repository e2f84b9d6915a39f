#include "handlers/access/rate_limiter.hpp"

#include <algorithm>
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

} // namespace

rate_limiter::rate_limiter(std::uint64_t seed, std::size_t max_slots)
    : epoch_(clock::now() - std::chrono::seconds(1)), seed_(seed)
{
    for (auto& each : rate_tables)
        tables_.emplace_back(each.window, std::min(each.slots, max_slots), each.lanes);
}

std::uint32_t rate_limiter::seconds(clock::time_point now) const
{
    return static_cast<std::uint32_t>(std::chrono::duration_cast<std::chrono::seconds>(now - epoch_).count());
}

void rate_limiter::share_among(std::size_t nodes)
{
    nodes_.store(static_cast<std::uint32_t>(std::max(nodes, std::size_t{1})), std::memory_order_relaxed);
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
    return h != 0 ? h : 1; // 0 marks an unused slot
}

counter_table::allowance rate_limiter::allowance_of(const rate_rule& rule) const
{
    counter_table::allowance allowed{.limit = rule.limit, .lane = rule.lane};
    if (auto nodes = nodes_.load(std::memory_order_relaxed); nodes > 1) {
        allowed.is_shared = true;
        allowed.without_share = rule.limit / (10 * nodes);
        allowed.in_overflow = std::max(rule.limit / nodes, 1u);
    }
    return allowed;
}

rate_limiter::outcome rate_limiter::count(const rate_rule& rule, std::span<const std::uint8_t> subject,
                                          clock::time_point now)
{
    auto key = key_of(rule, subject);
    auto counted = table_of(rule).count(key, allowance_of(rule), seconds(now));
    return {counted.verdict, counted.will_need_share, counted.retry_after, counted.counted, {key, rule}};
}

void rate_limiter::grant(const needed_share& of, std::uint32_t granted, std::chrono::seconds left,
                         clock::time_point now)
{
    table_of(of.rule).grant(of.key, of.rule.lane, granted, static_cast<std::uint32_t>(left.count()),
                            seconds(now));
}

bool rate_limiter::is_refused(const rate_rule& rule, std::span<const std::uint8_t> subject,
                              clock::time_point now)
{
    return table_of(rule).is_refused(key_of(rule, subject), allowance_of(rule), seconds(now));
}

void rate_limiter::grant_without_answer(const needed_share& of, clock::time_point now)
{
    auto allowed = allowance_of(of.rule);
    auto part = of.rule.limits_guesses && allowed.is_shared ? allowed.in_overflow : allowed.limit;
    table_of(of.rule).raise_shares(of.key, of.rule.lane, part - std::min(part, allowed.without_share),
                                   seconds(now));
}

} // namespace handlers
