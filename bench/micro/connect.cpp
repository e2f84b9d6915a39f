// Reconnecting after a failover: many connections to one PostgreSQL at once, each until its first answer.
//
// Needs a database: LATCHKEY_BENCH_DATABASE_URL=$(scripts/postgres start DIR --throwaway)
#include "bench/load/process_meter.hpp"
#include "db/migrations/migrations.hpp"
#include "db/postgres/connection.hpp"
#include "db/postgres/error.hpp"
#include "db/postgres/pipeline_config.hpp"
#include "db/postgres/row_security.hpp"
#include "server/supervisor.hpp"

#include <boost/asio/co_spawn.hpp>

#include <benchmark/benchmark.h>
#include <cerrno>
#include <chrono>
#include <csignal>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fstream>
#include <limits>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace {

using clock_type = std::chrono::steady_clock;

/// Private memory of a process.
std::size_t anonymous_bytes(pid_t process)
{
    std::ifstream file("/proc/" + std::to_string(process) + "/status");
    std::string line, name;
    std::size_t kib = 0;
    while (std::getline(file, line))
        if (line.starts_with("RssAnon:"))
            kib = std::stoul(line.substr(line.find(':') + 1));
    return kib * 1024;
}

db::awaitable<void> await_ready(db::connection& on, db::connection::descriptor::wait_type readiness)
{
    co_await on.socket().async_wait(readiness, db::use_awaitable);
}

/// Send what is queued, and read up to the answer of so many Syncs.
db::awaitable<void> exchange(db::connection& on, std::size_t syncs)
{
    auto pg = on.get();
    while (PQflush(pg) > 0)
        co_await await_ready(on, db::connection::descriptor::wait_write);
    while (syncs > 0) {
        while (PQisBusy(pg)) {
            co_await await_ready(on, db::connection::descriptor::wait_read);
            if (!PQconsumeInput(pg))
                throw db::failure_of(pg);
        }
        auto answer = PQgetResult(pg);
        auto status = answer ? PQresultStatus(answer) : PGRES_EMPTY_QUERY;
        if (status == PGRES_FATAL_ERROR)
            throw db::failure_of(answer);
        PQclear(answer);
        syncs -= status == PGRES_PIPELINE_SYNC;
    }
}

/// Connect, prepare the first `count` statements, at once or each in a segment of its own, and run a query.
db::awaitable<void> connect_and_query(db::connection& made, const std::string& url, std::size_t count,
                                      bool at_once)
{
    db::connection::config how{url, db::system_resolver(), std::chrono::seconds(4), true, false, 0, false};
    co_await made.open(how);
    auto pg = made.get();
    std::size_t syncs = 0;
    auto sync = [&] { syncs += PQpipelineSync(pg) == 1; };
    auto prepare = [&](const db::statement& one) { PQsendPrepare(pg, one.name(), one.sql(), 0, nullptr); };
    auto query = &db::check_row_security;
    prepare(*query);
    if (!at_once)
        sync();
    for (auto each = db::statement::first(); each && count > 1; each = each->next()) {
        if (each == query)
            continue;
        prepare(*each);
        --count;
        if (!at_once)
            sync();
    }
    if (at_once) {
        sync();
        co_await exchange(made, std::exchange(syncs, 0));
    }
    PQsendQueryPrepared(pg, query->name(), 0, nullptr, nullptr, nullptr, 1);
    sync();
    co_await exchange(made, syncs);
}

/// Open connections at once. @return the seconds until the last has its answer
double connect_all(std::deque<db::connection>& all, boost::asio::io_context& io, const std::string& url,
                   std::size_t count, bool at_once)
{
    auto begin = clock_type::now();
    std::exception_ptr failed;
    for (auto& each : all)
        boost::asio::co_spawn(io, connect_and_query(each, url, count, at_once),
                              [&](std::exception_ptr error) {
                                  if (error)
                                      failed = error;
                              });
    io.restart();
    io.run();
    if (failed)
        std::rethrow_exception(failed);
    return std::chrono::duration<double>(clock_type::now() - begin).count();
}

void await_exit(const std::vector<pid_t>& processes)
{
    for (auto each : processes)
        while (kill(each, 0) == 0 || errno == EPERM)
            std::this_thread::sleep_for(std::chrono::milliseconds(1));
}

/// `range` connections, each of which prepares `count` statements of the program before its first answer.
void reconnect(benchmark::State& state, std::size_t count, bool at_once)
{
    auto url = std::getenv("LATCHKEY_BENCH_DATABASE_URL");
    if (!url) {
        state.SkipWithError("LATCHKEY_BENCH_DATABASE_URL is not set");
        return;
    }
    // The whole program is linked, so that all of its statements are here.
    benchmark::DoNotOptimize(&server::serve_until_drained);
    [[maybe_unused]] static const auto migrated = db::migrate(url);
    auto connections = static_cast<double>(state.range(0));
    double cpu = 0, memory = 0;
    boost::asio::io_context io(1);
    for (auto _ : state) {
        std::deque<db::connection> all;
        while (all.size() < static_cast<std::size_t>(state.range(0)))
            all.emplace_back(io.get_executor());
        state.SetIterationTime(connect_all(all, io, url, count, at_once));
        std::vector<pid_t> backends;
        for (auto& each : all)
            backends.push_back(PQbackendPID(each.get()));
        cpu += bench::process_meter(backends).cpu_seconds();
        for (auto each : backends)
            memory += static_cast<double>(anonymous_bytes(each));
        all.clear();
        await_exit(backends);
    }
    auto rounds = static_cast<double>(state.iterations()) * connections;
    state.counters["statements"] = static_cast<double>(std::min(count, db::statement::count()));
    state.counters["postgres_cpu_s_each"] = cpu / rounds;
    state.counters["postgres_bytes_each"] =
        benchmark::Counter(memory / rounds, benchmark::Counter::kDefaults, benchmark::Counter::kIs1024);
}

constexpr auto all_statements = std::numeric_limits<std::size_t>::max();

BENCHMARK_CAPTURE(reconnect, all_prepared, all_statements, true)
    ->Arg(8)
    ->Arg(64)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(reconnect, one_prepared, 1, false)
    ->Arg(8)
    ->Arg(64)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(reconnect, twenty_prepared, 20, false)
    ->Arg(64)
    ->UseManualTime()
    ->Unit(benchmark::kMillisecond);

} // namespace
