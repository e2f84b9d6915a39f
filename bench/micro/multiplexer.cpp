// What the bookkeeping of a shared connection costs for each request, without the connection.
#include "db/postgres/multiplexer.hpp"

#include <benchmark/benchmark.h>

namespace {

const db::statement look_up{"bench_look_up", "SELECT 1"};

struct unheard final : db::request {
    using request::request;
    void finish() override {}
};

db::result made_up(ExecStatusType status)
{
    return db::result(PQmakeEmptyPGresult(nullptr, status));
}

/// A batch of one statement with one parameter, from run() to its answer, with `range` of them on the way.
void round_trip(benchmark::State& state)
{
    using namespace std::chrono_literals;
    auto depth = static_cast<std::size_t>(state.range(0));
    db::multiplexer queue;
    db::multiplexer::time_point now{};
    std::vector<db::result> answers;
    for (auto _ : state) {
        state.PauseTiming();
        answers.clear();
        for (std::size_t each = 0; each < depth; ++each) {
            answers.push_back(made_up(PGRES_TUPLES_OK));
            answers.push_back({});
            answers.push_back(made_up(PGRES_PIPELINE_SYNC));
        }
        state.ResumeTiming();
        for (std::size_t each = 0; each < depth; ++each) {
            db::batch work;
            work.add(look_up, "0123456789abcdef0123456789abcdef");
            queue.add(std::make_unique<unheard>(std::move(work)), now + 2s);
        }
        while (queue.next_to_send())
            queue.mark_sent(now + 5s);
        for (auto& answer : answers)
            benchmark::DoNotOptimize(queue.take(std::move(answer)));
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(round_trip)->Arg(1)->Arg(32)->Arg(1024);

/// The sweep of a queue in which nothing is late.
void sweep(benchmark::State& state)
{
    using namespace std::chrono_literals;
    const db::failure unsent(db::failure_kind::unavailable, "unsent");
    db::multiplexer queue;
    db::multiplexer::time_point now{};
    for (std::int64_t each = 0; each < state.range(0); ++each)
        queue.add(std::make_unique<unheard>(db::batch()), now + 2s);
    for (auto _ : state)
        benchmark::DoNotOptimize(queue.expire(now, unsent));
}
BENCHMARK(sweep)->Arg(1024);

} // namespace
