#include "db/postgres/pool.hpp"

#include "db/postgres/row_security.hpp"

#include <algorithm>

namespace db {

pool::pool(boost::asio::io_context& io, const pipeline::config& settings, std::size_t size)
{
    for (std::size_t made = 0; made < std::max<std::size_t>(size, 1); ++made)
        pipelines_.emplace_back(io, settings);
}

pipeline& pool::least_busy()
{
    auto less_busy = [](const pipeline& a, const pipeline& b) {
        if (a.connected() != b.connected())
            return a.connected();
        return a.in_flight() < b.in_flight();
    };
    return *std::ranges::min_element(pipelines_, less_busy);
}

awaitable<void> pool::ready()
{
    for (auto& each : pipelines_)
        co_await each.ready();
}

bool pool::connected() const
{
    return std::ranges::any_of(pipelines_, [](const pipeline& each) { return each.connected(); });
}

std::size_t pool::in_flight() const
{
    std::size_t sum = 0;
    for (const auto& each : pipelines_)
        sum += each.in_flight();
    return sum;
}

std::size_t pool::connections() const
{
    std::size_t sum = 0;
    for (const auto& each : pipelines_)
        sum += each.connected();
    return sum;
}

std::uint64_t pool::connections_made() const
{
    std::uint64_t sum = 0;
    for (const auto& each : pipelines_)
        sum += each.generation();
    return sum;
}

std::uint64_t pool::retries() const
{
    std::uint64_t sum = 0;
    for (const auto& each : pipelines_)
        sum += each.retries();
    return sum;
}

awaitable<void> pool::close()
{
    for (auto& each : pipelines_)
        co_await each.close();
}

awaitable<bool> row_security_enabled(pool& db)
{
    auto answer = co_await db.run(check_row_security);
    co_return answer.scalar<bool>();
}

} // namespace db
