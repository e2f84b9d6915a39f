// The cost of row-level security: the same statements with and without a workspace role.
//
// Needs a database with keys: LATCHKEY_BENCH_DATABASE_URL, once latchkey-bench has seeded it. Only the
// ratio matters, so interleave: --benchmark_filter=row_security --benchmark_enable_random_interleaving
// --benchmark_repetitions=10
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

struct key_location {
    db::uuid workspace_id{};
    std::string prefix;
};
BOOST_DESCRIBE_STRUCT(key_location, (), (workspace_id, prefix))

const db::statement some_keys{"bench_rls_keys", "SELECT workspace_id, prefix FROM api_keys LIMIT 20000"};

// A plan is cached per role, so each variant has a statement of its own.
const std::string find = "SELECT id, name, scopes, created_at, expires_at, status FROM api_key_states"
                         " WHERE prefix = $2 AND workspace_id = $1";
const std::string list = "SELECT id, name, scopes, created_at, expires_at, status FROM api_key_states"
                         " WHERE workspace_id = $1 AND ($2::text IS NOT NULL) ORDER BY id DESC LIMIT 51";
const db::statement find_restricted{"bench_rls_find_restricted", db::rows::of_one_workspace, find};
const db::statement find_unrestricted{"bench_rls_find_unrestricted", find};
const db::statement list_restricted{"bench_rls_list_restricted", db::rows::of_one_workspace, list};
const db::statement list_unrestricted{"bench_rls_list_unrestricted", list};

db::awaitable<void> fetch(db::pool& from, std::vector<key_location>& into, bool& has_row_security)
{
    auto rows = co_await from.run(some_keys);
    into = rows.as_vector<key_location>();
    has_row_security = co_await db::row_security_enabled(from);
}

db::awaitable<void> client(db::pool& database, const db::statement& statement,
                           const std::vector<key_location>& keys, std::size_t& next, std::size_t end,
                           std::int64_t& ended)
{
    while (next < end) {
        auto& key = keys[next++ % keys.size()];
        db::batch work;
        if (statement.touched() == db::rows::of_one_workspace)
            work.in_workspace(key.workspace_id);
        work.add(statement, key.workspace_id, key.prefix);
        auto results = co_await database.run(std::move(work));
        benchmark::DoNotOptimize(results[0].size());
    }
    ++ended;
}

/// `range` coroutines that each send the next query as soon as the previous one is answered.
void row_security(benchmark::State& state, const db::statement& statement)
{
    auto url = std::getenv("LATCHKEY_BENCH_DATABASE_URL");
    if (!url) {
        state.SkipWithError("LATCHKEY_BENCH_DATABASE_URL is not set");
        return;
    }
    boost::asio::io_context io(1);
    db::pipeline::config settings;
    settings.conninfo = url;
    db::pool database(io, settings, 1);
    std::vector<key_location> keys;
    bool has_row_security = false;
    auto fetched =
        boost::asio::co_spawn(io, fetch(database, keys, has_row_security), boost::asio::use_future);
    while (fetched.wait_for(std::chrono::seconds(0)) != std::future_status::ready)
        io.run_one();
    fetched.get();
    if (keys.empty() || !has_row_security) {
        state.SkipWithError(has_row_security ? "the database has no keys"
                                             : "row-level security is off in this database");
        return;
    }
    constexpr std::size_t each = 5'000;
    std::size_t next = 0;
    for (auto _ : state) {
        std::int64_t ended = 0;
        auto end = next + each;
        for (std::int64_t number = 0; number < state.range(0); ++number)
            boost::asio::co_spawn(io, client(database, statement, keys, next, end, ended),
                                  boost::asio::detached);
        while (ended < state.range(0))
            io.run_one();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<std::int64_t>(each));
}

void configure(benchmark::internal::Benchmark* benchmark)
{
    benchmark->Arg(1)->Arg(32)->UseRealTime()->MeasureProcessCPUTime()->Unit(benchmark::kMillisecond);
}
BENCHMARK_CAPTURE(row_security, find_unrestricted, find_unrestricted)->Apply(configure);
BENCHMARK_CAPTURE(row_security, find_restricted, find_restricted)->Apply(configure);
BENCHMARK_CAPTURE(row_security, list_unrestricted, list_unrestricted)->Apply(configure);
BENCHMARK_CAPTURE(row_security, list_restricted, list_restricted)->Apply(configure);

} // namespace
