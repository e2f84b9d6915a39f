#include "handlers/http/request_limits.hpp"

#include "handlers/access/client_address.hpp"
#include "handlers/access/rate_limits.hpp"
#include "handlers/http/context.hpp"

#include <string>

namespace handlers {

namespace {

/// A general rule with the limit of the setting.
rate_rule with_setting(const call& c, rate_rule rule)
{
    rule.limit = c.cx.config.rate_limit_per_minute;
    return rule;
}

} // namespace

std::optional<problem> count_request(call& c, const rate_rule& rule, std::span<const std::uint8_t> subject,
                                     rate_limiter::receipt* counted)
{
    if (c.cx.config.rate_limit_per_minute == 0)
        return std::nullopt;
    if (auto over = c.cx.limiter.count(rule, subject, counted))
        return rate_limited(*over);
    return std::nullopt;
}

std::optional<problem> count_address(call& c)
{
    return count_request(c, with_setting(c, rate_limits::address), address_bucket(c.req.client));
}

std::optional<problem> count_credential(call& c)
{
    auto& id = c.caller().credential_id;
    return count_request(c, with_setting(c, rate_limits::credential), std::span(id.begin(), id.size()));
}

problem reject_unknown_credential(call& c, problem rejection)
{
    auto over = count_address(c);
    return over ? std::move(*over) : std::move(rejection);
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
