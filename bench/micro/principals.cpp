// Lookups of uncached API keys: each request looks up one, and the batch loader coalesces waiting ones into
// one statement. As in the server, every processor has an event loop with a connection of its own.
//
// Needs a database with many keys: LATCHKEY_BENCH_DATABASE_URL, once latchkey-bench has seeded it.
#include "db/principals/principals.hpp"

#include "bench/load/process_meter.hpp"
#include "db/postgres/pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <algorithm>
#include <benchmark/benchmark.h>
#include <cstdlib>
#include <optional>
#include <vector>

namespace {

// Random rows: adjacent ones would share cache lines.
const db::statement some_digests{"bench_some_digests",
                                 "SELECT digest FROM api_keys ORDER BY random() LIMIT 20000"};

const db::statement own_backend{"bench_own_backend", "SELECT pg_backend_pid()"};

struct core {
    explicit core(const char* url)
    {
        db::pipeline::config settings;
        settings.conninfo = url;
        settings.prefer_index_scans = true; // as in the server
        lookups.emplace(io, settings, 1);
        principals.emplace(io, *lookups);
    }

    boost::asio::io_context io{1};
    std::optional<db::pool> lookups;
    std::optional<db::principals> principals;
};

/// @param backend the PostgreSQL backend's process, if it runs on this machine
db::awaitable<void> fetch(db::pool& from, std::vector<db::digest>& into, std::int32_t& backend)
{
    auto rows = co_await from.run(some_digests);
    into = rows.as_vector<db::digest>();
    auto result = co_await from.run(own_backend);
    backend = result.scalar<std::int32_t>();
}

db::awaitable<void> client(core& on, const std::vector<db::digest>& keys, std::size_t& next,
                           std::int64_t& ended)
{
    while (next < keys.size()) {
        auto principal = co_await on.principals->load_api_key(keys[next++]);
        benchmark::DoNotOptimize(principal);
    }
    ++ended;
}

/// `range` coroutines in total, each looking up the next key as soon as the previous one is done.
void cold_lookups(benchmark::State& state)
{
    auto url = std::getenv("LATCHKEY_BENCH_DATABASE_URL");
    if (!url) {
        state.SkipWithError("LATCHKEY_BENCH_DATABASE_URL is not set");
        return;
    }
    core here(url);
    std::vector<db::digest> keys;
    std::int32_t backend = 0;
    auto fetched =
        boost::asio::co_spawn(here.io, fetch(*here.lookups, keys, backend), boost::asio::use_future);
    while (fetched.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
        here.io.run_one();
    fetched.get();
    bench::process_meter postgres(std::vector<pid_t>{backend});
    auto cpu_before = postgres.cpu_seconds();
    auto clients = std::max<std::int64_t>(state.range(0) / state.threads(), 1);
    for (auto _ : state) {
        std::size_t next = 0;
        std::int64_t ended = 0;
        here.principals->evict_all();
        for (std::int64_t number = 0; number < clients; ++number)
            boost::asio::co_spawn(here.io, client(here, keys, next, ended), boost::asio::detached);
        while (ended < clients)
            here.io.run_one();
    }
    auto lookups = state.iterations() * static_cast<std::int64_t>(keys.size());
    state.SetItemsProcessed(lookups);
    auto cpu = (postgres.cpu_seconds() - cpu_before) / static_cast<double>(lookups);
    state.counters["postgres_cpu_s_each"] = benchmark::Counter(cpu, benchmark::Counter::kAvgThreads);
}
BENCHMARK(cold_lookups)
    ->Arg(1)
    ->Arg(64)
    ->Arg(256)
    ->ThreadPerCpu()
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

} // namespace
