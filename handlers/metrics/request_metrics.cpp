#include "handlers/metrics/request_metrics.hpp"

#include <algorithm>

namespace handlers {

namespace {

constexpr unsigned first_status = 200, last_status = 505;

/// The slot of each status.
constexpr auto slots = [] {
    std::array<std::uint8_t, last_status - first_status + 1> out{};
    out.fill(static_cast<std::uint8_t>(request_metrics::statuses.size() - 1));
    for (std::size_t i = 0; i + 1 < request_metrics::statuses.size(); ++i)
        out[request_metrics::statuses[i] - first_status] = static_cast<std::uint8_t>(i);
    return out;
}();

} // namespace

void request_metrics::record(std::size_t route, unsigned status, std::chrono::nanoseconds took)
{
    auto& at = cells_[std::min(route, routes_)];
    bool is_known = status >= first_status && status <= last_status;
    add(at.answered[is_known ? slots[status - first_status] : statuses.size() - 1], 1);
    auto microseconds = std::chrono::ceil<std::chrono::microseconds>(took).count();
    std::size_t bound = 0;
    while (bound < bounds.size() && microseconds > bounds[bound])
        ++bound;
    add(at.timed[bound], 1);
    add(at.nanoseconds, static_cast<std::uint64_t>(std::max<std::int64_t>(took.count(), 0)));
}

} // namespace handlers
