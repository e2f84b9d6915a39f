// Look-ups of API keys that nobody remembers, as requests make them: each asks for one, and a statement
// gathers what waits.
//
// Needs a database with many keys: LATCHKEY_BENCH_DATABASE_URL, once latchkey-bench has seeded it.
#include "db/principals.hpp"

#include "db/pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <optional>
#include <vector>

namespace {

// From all over the table: neighbours would be found in the processor's caches.
const db::statement some_digests{"bench_some_digests",
                                 "SELECT digest FROM api_keys ORDER BY random() LIMIT 20000"};

struct core {
    explicit core(const char* url)
    {
        db::pipeline::config settings;
        settings.conninfo = url;
        lookups.emplace(io, settings, 1);
        principals.emplace(io, *lookups);
    }

    boost::asio::io_context io{1};
    std::optional<db::pool> lookups;
    std::optional<db::principals> principals;
};

db::awaitable<void> fetch(db::pool& from, std::vector<db::digest>& into)
{
    auto rows = co_await from.run(some_digests);
    into = rows.as_vector<db::digest>();
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

/// `range` coroutines that each ask for the next key as soon as they are answered.
void cold_look_ups(benchmark::State& state)
{
    auto url = std::getenv("LATCHKEY_BENCH_DATABASE_URL");
    if (!url) {
        state.SkipWithError("LATCHKEY_BENCH_DATABASE_URL is not set");
        return;
    }
    core one(url);
    std::vector<db::digest> keys;
    auto fetched = boost::asio::co_spawn(one.io, fetch(*one.lookups, keys), boost::asio::use_future);
    while (fetched.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
        one.io.run_one();
    fetched.get();
    for (auto _ : state) {
        std::size_t next = 0;
        std::int64_t ended = 0;
        one.principals->evict_all();
        for (std::int64_t number = 0; number < state.range(0); ++number)
            boost::asio::co_spawn(one.io, client(one, keys, next, ended), boost::asio::detached);
        while (ended < state.range(0))
            one.io.run_one();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(keys.size()));
}
BENCHMARK(cold_look_ups)
    ->Arg(1)
    ->Arg(16)
    ->Arg(128)
    ->UseRealTime()
    ->MeasureProcessCPUTime()
    ->Unit(benchmark::kMillisecond);

} // namespace
