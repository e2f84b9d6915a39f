// What it costs to have PostgreSQL keep workspaces apart: the same statements within a workspace and outside.
//
// Needs a database with keys: LATCHKEY_BENCH_DATABASE_URL, once latchkey-bench has seeded it. The ratio is
// what counts, so let the two take turns: --benchmark_filter=wall --benchmark_enable_random_interleaving
// --benchmark_repetitions=10
#include "db/postgres/row_security.hpp"

#include "db/postgres/pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/describe/class.hpp>

#include <benchmark/benchmark.h>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

namespace {

struct place {
    db::uuid workspace_id{};
    std::string prefix;
};
BOOST_DESCRIBE_STRUCT(place, (), (workspace_id, prefix))

const db::statement some_places{"bench_wall_places", "SELECT workspace_id, prefix FROM api_keys LIMIT 20000"};

// A plan belongs to one side of the wall, so each side has a statement of its own.
const std::string find = "SELECT id, name, scopes, created_at, expires_at, status FROM api_key_states"
                         " WHERE prefix = $2 AND workspace_id = $1";
const std::string list = "SELECT id, name, scopes, created_at, expires_at, status FROM api_key_states"
                         " WHERE workspace_id = $1 AND ($2::text IS NOT NULL) ORDER BY id DESC LIMIT 51";
const db::statement find_within{"bench_wall_find_within", db::rows::of_one_workspace, find};
const db::statement find_outside{"bench_wall_find_outside", find};
const db::statement list_within{"bench_wall_list_within", db::rows::of_one_workspace, list};
const db::statement list_outside{"bench_wall_list_outside", list};

db::awaitable<void> fetch(db::pool& from, std::vector<place>& into, bool& walled)
{
    auto rows = co_await from.run(some_places);
    into = rows.as_vector<place>();
    walled = co_await db::wall_stands(from);
}

db::awaitable<void> client(db::pool& line, const db::statement& what, const std::vector<place>& places,
                           std::size_t& next, std::size_t end, std::int64_t& ended)
{
    while (next < end) {
        auto& at = places[next++ % places.size()];
        db::batch work;
        if (what.touched() == db::rows::of_one_workspace)
            work.within(at.workspace_id);
        work.add(what, at.workspace_id, at.prefix);
        auto answers = co_await line.run(std::move(work));
        benchmark::DoNotOptimize(answers[0].size());
    }
    ++ended;
}

/// `range` coroutines that each ask again as soon as they are answered.
void ask(benchmark::State& state, const db::statement& what)
{
    auto url = std::getenv("LATCHKEY_BENCH_DATABASE_URL");
    if (!url) {
        state.SkipWithError("LATCHKEY_BENCH_DATABASE_URL is not set");
        return;
    }
    boost::asio::io_context io(1);
    db::pipeline::config settings;
    settings.conninfo = url;
    db::pool line(io, settings, 1);
    std::vector<place> places;
    bool walled = false;
    auto fetched = boost::asio::co_spawn(io, fetch(line, places, walled), boost::asio::use_future);
    while (fetched.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
        io.run_one();
    fetched.get();
    if (places.empty() || !walled) {
        state.SkipWithError(walled ? "the database has no keys" : "the wall does not stand in this database");
        return;
    }
    constexpr std::size_t each = 5'000;
    std::size_t next = 0;
    for (auto _ : state) {
        std::int64_t ended = 0;
        auto end = next + each;
        for (std::int64_t number = 0; number < state.range(0); ++number)
            boost::asio::co_spawn(io, client(line, what, places, next, end, ended), boost::asio::detached);
        while (ended < state.range(0))
            io.run_one();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each));
}

void measure(benchmark::internal::Benchmark* what)
{
    what->Arg(1)->Arg(32)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(ask, wall_find_outside, find_outside)->Apply(measure);
BENCHMARK_CAPTURE(ask, wall_find_within, find_within)->Apply(measure);
BENCHMARK_CAPTURE(ask, wall_list_outside, list_outside)->Apply(measure);
BENCHMARK_CAPTURE(ask, wall_list_within, list_within)->Apply(measure);

} // namespace
