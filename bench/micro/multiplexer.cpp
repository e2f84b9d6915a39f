// Bookkeeping cost of a pipelined connection per request, without I/O.
#include "db/postgres/multiplexer.hpp"

#include <benchmark/benchmark.h>

namespace {

const db::statement lookup{"bench_lookup", "SELECT 1"};

struct ignored_request final : db::request {
    using request::request;
    void finish() override {}
};

db::result fake_result(ExecStatusType status)
{
    return db::result(PQmakeEmptyPGresult(nullptr, status));
}

/// A batch of one statement with one parameter, from run() to its result, with `range` batches in flight.
void round_trip(benchmark::State& state)
{
    using namespace std::chrono_literals;
    auto depth = static_cast<std::size_t>(state.range(0));
    db::multiplexer queue;
    db::prepared_statements prepared;
    db::multiplexer::time_point now{};
    std::vector<db::result> results;
    for (auto _ : state) {
        state.PauseTiming();
        results.clear();
        for (std::size_t each = 0; each < depth; ++each) {
            results.push_back(fake_result(PGRES_TUPLES_OK));
            results.push_back({});
            results.push_back(fake_result(PGRES_PIPELINE_SYNC));
        }
        state.ResumeTiming();
        for (std::size_t each = 0; each < depth; ++each) {
            db::batch work;
            work.add(lookup, "0123456789abcdef0123456789abcdef");
            queue.add(std::make_unique<ignored_request>(std::move(work)), now + 2s);
        }
        while (queue.next_to_send())
            queue.mark_sent(now + 5s);
        for (auto& result : results)
            benchmark::DoNotOptimize(queue.take(std::move(result), prepared));
    }
    state.SetItemsProcessed(state.iterations() * state.range(0));
}
BENCHMARK(round_trip)->Arg(1)->Arg(32)->Arg(1024);

/// The timeout sweep over a queue in which nothing is late.
void sweep(benchmark::State& state)
{
    using namespace std::chrono_literals;
    const db::failure unsent(db::failure_kind::unavailable, "unsent");
    db::multiplexer queue;
    db::multiplexer::time_point now{};
    for (std::int64_t each = 0; each < state.range(0); ++each)
        queue.add(std::make_unique<ignored_request>(db::batch()), now + 2s);
    for (auto _ : state)
        benchmark::DoNotOptimize(queue.expire(now, unsent));
}
BENCHMARK(sweep)->Arg(1024);

} // namespace
