// Look-ups of API keys that nobody remembers, as requests make them: each asks for one, and a statement
// gathers what waits. As in the server, every processor has a reactor with a connection of its own.
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

// From all over the table: neighbours would be found in the processor's caches.
const db::statement some_digests{"bench_some_digests",
                                 "SELECT digest FROM api_keys ORDER BY random() LIMIT 20000"};

const db::statement own_backend{"bench_own_backend", "SELECT pg_backend_pid()"};

struct core {
    explicit core(const char* url)
    {
        db::pipeline::config settings;
        settings.conninfo = url;
        settings.by_index_alone = true; // as in the server
        lookups.emplace(io, settings, 1);
        principals.emplace(io, *lookups);
    }

    boost::asio::io_context io{1};
    std::optional<db::pool> lookups;
    std::optional<db::principals> principals;
};

/// @param backend the process that answers, if PostgreSQL is on this machine
db::awaitable<void> fetch(db::pool& from, std::vector<db::digest>& into, std::int32_t& backend)
{
    auto rows = co_await from.run(some_digests);
    into = rows.as_vector<db::digest>();
    auto answer = co_await from.run(own_backend);
    backend = answer.scalar<std::int32_t>();
}

db::awaitable<void> client(core& on, const std::vector<db::digest>& keys, std::size_t& next,
                           std::int64_t& ended)
{
    while (next < keys.size()) {
        auto who = co_await on.principals->load_api_key(keys[next++]);
        benchmark::DoNotOptimize(who);
    }
    ++ended;
}

/// `range` coroutines in all, which each ask for the next key as soon as they are answered.
void cold_look_ups(benchmark::State& state)
{
    auto url = std::getenv("LATCHKEY_BENCH_DATABASE_URL");
    if (!url) {
        state.SkipWithError("LATCHKEY_BENCH_DATABASE_URL is not set");
        return;
    }
    core one(url);
    std::vector<db::digest> keys;
    std::int32_t backend = 0;
    auto fetched = boost::asio::co_spawn(one.io, fetch(*one.lookups, keys, backend), boost::asio::use_future);
    while (fetched.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
        one.io.run_one();
    fetched.get();
    bench::process_meter postgres(std::vector<pid_t>{backend});
    auto cpu_before = postgres.cpu_seconds();
    auto clients = std::max<std::int64_t>(state.range(0) / state.threads(), 1);
    for (auto _ : state) {
        std::size_t next = 0;
        std::int64_t ended = 0;
        one.principals->evict_all();
        for (std::int64_t number = 0; number < clients; ++number)
            boost::asio::co_spawn(one.io, client(one, keys, next, ended), boost::asio::detached);
        while (ended < clients)
            one.io.run_one();
    }
    auto asked = state.iterations() * static_cast<std::int64_t>(keys.size());
    state.SetItemsProcessed(asked);
    auto cpu = (postgres.cpu_seconds() - cpu_before) / static_cast<double>(asked);
    state.counters["postgres_cpu_s_each"] = benchmark::Counter(cpu, benchmark::Counter::kAvgThreads);
}
BENCHMARK(cold_look_ups)
    ->Arg(1)
    ->Arg(64)
    ->Arg(256)
    ->ThreadPerCpu()
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

} // namespace
