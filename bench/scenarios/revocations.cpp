#include "bench/scenarios/revocations.hpp"

#include "bench/load/failure.hpp"
#include "bench/load/interrupt.hpp"
#include "bench/report/medians.hpp"
#include "bench/report/report.hpp"
#include "bench/report/text.hpp"
#include "bench/scenarios/pgbench.hpp"
#include "bench/scenarios/setup.hpp"

#include <algorithm>
#include <iostream>
#include <optional>
#include <utility>
#include <vector>

namespace bench {

namespace {

/// The runs of one command, each of which revokes other keys.
class revocations {
public:
    revocations(const options& wanted, const setup& ready, progress& line)
        : ready_(ready), line_(line), storms_left_(wanted.rounds)
    {}

    measurement storm(const load_plan& plan, const std::string& label)
    {
        return run(plan, (ready_.data().keys.size() - next_key_) / storms_left_--, label);
    }

    measurement paced(const load_plan& plan, const std::string& label)
    {
        auto seconds = std::chrono::duration<double>(plan.warmup + plan.duration).count();
        return run(plan, static_cast<std::size_t>(plan.rate * seconds) + plan.connections, label);
    }

private:
    measurement run(const load_plan& plan, std::size_t count, const std::string& label)
    {
        auto& keys = ready_.data().keys;
        auto first = std::exchange(next_key_, std::min(keys.size(), next_key_ + count));
        return measure(revoke(ready_.server(), keys, ready_.tokens(), first, next_key_), plan,
                       ready_.meters(), line_, label);
    }

    const setup& ready_;
    progress& line_;
    std::size_t next_key_ = 0, storms_left_;
};

double milliseconds(const measurement& of, double percent)
{
    return latency_us(of, percent) / 1e3;
}

boost::json::array as_json(const std::vector<double>& values)
{
    return boost::json::array(values.begin(), values.end());
}

} // namespace

int run_revoke(const options& wanted)
{
    progress line(wanted.quiet);
    setup ready(wanted, line);
    std::optional<pgbench_notify> database;
    if (!ready.database_url().empty())
        database.emplace(ready.database_url());
    auto storm = ready.plan();
    storm.rate = 0;
    auto paced = ready.plan();
    constexpr double moderate_rate = 50;
    if (paced.rate == 0)
        paced.rate = moderate_rate;

    // The paced load comes first: PostgreSQL has work left after a storm, such as vacuuming the tables.
    revocations all(wanted, ready, line);
    std::vector<measurement> runs;
    std::vector<double> rates, pgbench_rates, ratios, storm_p99, p50, p99, server_cpu, database_cpu;
    auto count = " of " + std::to_string(wanted.rounds);
    for (std::size_t round = 1; round <= wanted.rounds && !interrupted(); ++round) {
        runs.push_back(all.paced(paced, "paced " + std::to_string(round) + count));
        p50.push_back(milliseconds(runs.back(), 50));
        p99.push_back(milliseconds(runs.back(), 99));
    }
    for (std::size_t round = 1; round <= wanted.rounds && !interrupted(); ++round) {
        if (database) {
            line.say("pgbench " + std::to_string(round) + count + " …");
            if (auto rate = database->run(storm.connections, storm.duration))
                pgbench_rates.push_back(*rate);
        }
        runs.push_back(all.storm(storm, "storm " + std::to_string(round) + count));
        auto& run = runs.back();
        rates.push_back(run.throughput());
        storm_p99.push_back(milliseconds(run, 99));
        if (auto cpu = run.server_cpu_per_request())
            server_cpu.push_back(*cpu);
        if (auto cpu = run.per_request(run.database_cpu))
            database_cpu.push_back(*cpu);
        if (pgbench_rates.size() == rates.size())
            ratios.push_back(rates.back() / pgbench_rates.back());
    }

    std::cout << "\nRevocations, " << ready.servers().size() << " server"
              << (ready.servers().size() == 1 ? "" : "s") << ", medians of " << wanted.rounds
              << " rounds and their range\n\n"
              << as_table({{"closed loop, " + std::to_string(storm.connections) + " connections",
                            range(rates, "/s"), "p99 " + range(storm_p99, " ms")},
                           {"pgbench, as many clients, one transaction with a NOTIFY each",
                            range(pgbench_rates, "/s"), ""},
                           {"ratio", range(ratios, " ×"), ""},
                           {"CPU of the servers, of PostgreSQL", range(server_cpu, " µs"),
                            range(database_cpu, " µs")},
                           {"at " + as_figure(paced.rate) + " per second", "p50 " + range(p50, " ms"),
                            "p99 " + range(p99, " ms")}})
              << std::flush;
    if (database && !database->is_durable())
        std::cout << "\nCommits do not wait for the disk (fsync or synchronous_commit is off): these figures "
                     "say little.\n";
    if (database && pgbench_rates.empty())
        std::cout << "\npgbench is not installed: no ratio.\n";
    for (auto& run : runs)
        for (auto& warning : run.warnings())
            std::cout << "\n" << warning << "\n";
    if (!wanted.json_file.empty())
        write_file(wanted.json_file,
                   boost::json::serialize(boost::json::object{{"servers", ready.servers().size()},
                                                              {"connections", storm.connections},
                                                              {"revocations_per_second", as_json(rates)},
                                                              {"pgbench_per_second", as_json(pgbench_rates)},
                                                              {"ratios", as_json(ratios)},
                                                              {"storm_p99_ms", as_json(storm_p99)},
                                                              {"paced_rate", paced.rate},
                                                              {"paced_p50_ms", as_json(p50)},
                                                              {"paced_p99_ms", as_json(p99)}}) +
                       "\n");
    return exit_status(runs);
}

} // namespace bench
