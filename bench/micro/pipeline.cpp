// Lookups by unique key through one pipelined connection, one batch each, as requests issue them.
//
// Needs a database: LATCHKEY_BENCH_DATABASE_URL=$(scripts/postgres start DIR --throwaway)
#include "db/postgres/pipeline.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <memory>

namespace {

// Reads a system catalog, so that no setup is necessary.
const db::statement lookup{"bench_pipeline_lookup",
                           "SELECT oid::int8, typname FROM pg_type WHERE oid = $1::oid"};

db::awaitable<void> client(db::pipeline& connection, std::int64_t& left, std::int64_t& ended)
{
    while (left-- > 0) {
        auto result = co_await connection.run(lookup, 23);
        benchmark::DoNotOptimize(result.scalar<std::int64_t>());
    }
    ++ended;
}

/// `range` coroutines that each send the next query as soon as the previous one is answered.
void lookups(benchmark::State& state)
{
    auto url = std::getenv("LATCHKEY_BENCH_DATABASE_URL");
    if (!url) {
        state.SkipWithError("LATCHKEY_BENCH_DATABASE_URL is not set");
        return;
    }
    boost::asio::io_context io(1);
    db::pipeline::config settings;
    settings.conninfo = url;
    db::pipeline connection(io, settings);
    constexpr std::int64_t each = 20'000;
    for (auto _ : state) {
        std::int64_t left = each, ended = 0;
        for (std::int64_t number = 0; number < state.range(0); ++number)
            boost::asio::co_spawn(io, client(connection, left, ended), boost::asio::detached);
        while (ended < state.range(0))
            io.run_one();
    }
    state.SetItemsProcessed(state.iterations() * each);
}
BENCHMARK(lookups)->Arg(1)->Arg(8)->Arg(32)->Arg(128)->UseRealTime()->MeasureProcessCPUTime()->Unit(
    benchmark::kMillisecond);

} // namespace
