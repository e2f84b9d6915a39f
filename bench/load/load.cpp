#include "bench/load/load.hpp"

#include "bench/load/worker.hpp"

#include <algorithm>

namespace bench {

std::uint64_t outcome::answered() const
{
    std::uint64_t sum = 0;
    for (auto n : statuses)
        sum += n;
    return sum;
}

void outcome::merge(const outcome& other)
{
    latency.merge(other.latency);
    for (std::size_t i = 0; i < statuses.size(); ++i)
        statuses[i] += other.statuses[i];
    expected += other.expected;
    lost += other.lost;
    late += other.late;
    unsent += other.unsent;
}

outcome load_result::total() const
{
    outcome sum;
    for (auto& one : kinds)
        sum.merge(one);
    return sum;
}

load::load(const load_plan& plan, std::vector<kind> kinds, const request_source_factory& make_source)
    : plan_(plan), kinds_(std::move(kinds))
{
    plan_.threads = std::clamp<std::size_t>(plan.threads, 1, std::max<std::size_t>(plan.connections, 1));
    for (std::size_t i = 0; i < plan_.threads; ++i)
        workers_.push_back(
            std::make_unique<worker>(plan_, i, kinds_, make_source(i, plan_.threads), schedule_));
    schedule_.begin = steady::now();
    schedule_.measure_from = schedule_.begin + plan_.warmup;
    schedule_.until = schedule_.measure_from + plan_.duration;
    for (auto& one : workers_)
        threads_.emplace_back([&one] { one->run(); });
}

load::~load()
{
    stop();
}

void load::stop()
{
    schedule_.stopped = true;
}

recent_load load::take_recent()
{
    recent_load sum;
    for (auto& one : workers_) {
        auto part = one->take_recent();
        sum.latency.merge(part.latency);
        sum.unexpected += part.unexpected;
    }
    return sum;
}

load_result load::wait()
{
    threads_.clear(); // joins
    load_result sum;
    sum.kinds.resize(kinds_.size());
    for (auto& one : workers_) {
        auto& part = one->result();
        for (std::size_t i = 0; i < sum.kinds.size(); ++i)
            sum.kinds[i].merge(part.kinds[i]);
        sum.send_delay.merge(part.send_delay);
        sum.reconnects += part.reconnects;
        sum.full_handshakes += part.full_handshakes;
        sum.resumed_handshakes += part.resumed_handshakes;
        sum.refused += part.refused;
        sum.exhausted = sum.exhausted || part.exhausted;
    }
    auto end = std::min(measures_until(), steady::now());
    sum.seconds = std::max(0.0, std::chrono::duration<double>(end - measures_from()).count());
    return sum;
}

} // namespace bench
