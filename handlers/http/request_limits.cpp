#include "handlers/http/request_limits.hpp"

#include "handlers/access/client_address.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/quota_client.hpp"

#include <string>
#include <utility>

namespace handlers {

namespace {

/// A general rule with the limit of the setting.
rate_rule with_setting(const call& c, rate_rule rule)
{
    rule.limit = c.cx.config.rate_limit_per_minute;
    return rule;
}

/// @return nothing if a share has to be taken first
std::optional<decision> try_count(call& c, const rate_rule& rule, std::span<const std::uint8_t> subject,
                                  rate_limiter::receipt* counted = nullptr)
{
    auto outcome = c.cx.limiter.count(rule, subject);
    if (outcome.verdict == rate_limiter::verdict::refused)
        return rate_limited({rule, outcome.retry_after});
    if (outcome.verdict == rate_limiter::verdict::needs_share) {
        c.needed_share = outcome.share;
        return std::nullopt;
    }
    if (outcome.will_need_share && c.cx.quotas)
        c.cx.quotas->prefetch(outcome.share);
    if (counted)
        *counted = outcome.counted;
    return decision();
}

} // namespace

std::optional<decision> try_count_address(call& c)
{
    if (c.cx.config.rate_limit_per_minute == 0)
        return decision();
    return try_count(c, with_setting(c, rate_limits::address), address_bucket(c.req.client));
}

std::optional<decision> try_count_credential(call& c)
{
    if (c.cx.config.rate_limit_per_minute == 0)
        return decision();
    auto& id = c.caller().credential_id;
    return try_count(c, with_setting(c, rate_limits::credential), std::span(id.begin(), id.size()));
}

std::optional<decision> try_reject(call& c, problem rejection)
{
    auto over = try_count_address(c);
    if (!over)
        return std::nullopt;
    return *over ? std::move(**over) : std::move(rejection);
}

awaitable<problem> reject_counted(call& c, problem rejection)
{
    for (;;) {
        if (auto decided = try_reject(c, rejection))
            co_return std::move(**decided);
        co_await take_needed_share(c);
    }
}

awaitable<void> take_needed_share(call& c)
{
    auto share = *std::exchange(c.needed_share, std::nullopt);
    if (c.cx.quotas)
        co_await c.cx.quotas->take(share);
    else
        c.cx.limiter.grant_without_answer(share);
}

awaitable<decision> count_request(call& c, rate_rule rule, std::span<const std::uint8_t> subject,
                                  rate_limiter::receipt* counted)
{
    if (c.cx.config.rate_limit_per_minute == 0)
        co_return std::nullopt;
    for (;;) {
        if (auto counted_now = try_count(c, rule, subject, counted))
            co_return std::move(*counted_now);
        co_await take_needed_share(c);
    }
}

awaitable<decision> count_client(call& c, const rate_limits::address_rule& rule, address_receipt* counted)
{
    // The wide networks first: over their limit, the address does not get a counter of its own.
    address_receipt all{};
    decision over;
    if (auto networks = surrounding_networks(c.req.client))
        for (std::size_t i = networks->size(); i > 0 && !over; --i)
            over = co_await count_request(c, rule.networks[i - 1], (*networks)[i - 1], &all[i]);
    auto address = address_bucket(c.req.client);
    if (!over)
        over = co_await count_request(c, rule.address, address, &all[0]);
    if (over)
        refund(all);
    else if (counted)
        *counted = all;
    co_return over;
}

void refund(const address_receipt& counted)
{
    for (auto& each : counted)
        rate_limiter::refund(each);
}

result<std::optional<lookup_limiter::place>> enter_lookup(call& c)
{
    using place = std::optional<lookup_limiter::place>;
    auto limit = with_setting(c, rate_limits::address);
    auto address = address_bucket(c.req.client);
    if (c.cx.config.rate_limit_per_minute == 0 || !c.cx.limiter.is_refused(limit, address))
        return place();
    auto entered = c.cx.suspect_lookups.enter(address);
    if (!entered)
        return rate_limited({limit, std::chrono::seconds(1)});
    return result<place>(std::move(entered));
}

awaitable<decision> count_credential(call& c, db::uuid id)
{
    auto rule = with_setting(c, rate_limits::credential);
    std::span<const std::uint8_t> subject(id.begin(), id.size());
    co_return co_await count_request(c, rule, subject);
}

awaitable<decision> count_credential(call& c, db::digest key)
{
    co_return co_await count_request(c, with_setting(c, rate_limits::credential), key);
}

decision check_credential_limit(const call& c, const db::digest& key)
{
    auto limit = with_setting(c, rate_limits::credential);
    if (c.cx.config.rate_limit_per_minute == 0 || !c.cx.limiter.is_refused(limit, key))
        return std::nullopt;
    return rate_limited({limit, std::chrono::seconds(1)});
}

awaitable<bool> is_within_limit(call& c, rate_rule rule, std::span<const std::uint8_t> subject)
{
    auto over = co_await count_request(c, rule, subject);
    co_return !over;
}

problem rate_limited(const rate_limit_error& refusal)
{
    auto window = std::to_string(refusal.rule.window().count());
    auto left = std::to_string(refusal.retry_after.count());
    auto p = problem::of(codes::rate_limited, "Too many requests; try again in " + left + " s.");
    p.retry_after = refusal.retry_after;
    p.rate_policy.append("\"").append(refusal.rule.name).append("\";q=");
    p.rate_policy.append(std::to_string(refusal.rule.limit)).append(";w=").append(window);
    p.rate_state.append("\"").append(refusal.rule.name).append("\";r=0;t=").append(left);
    return p;
}

} // namespace handlers
