#include "bench/scenarios/scaling.hpp"

#include "bench/load/failure.hpp"
#include "bench/load/interrupt.hpp"
#include "bench/report/medians.hpp"
#include "bench/report/report.hpp"
#include "bench/report/text.hpp"
#include "bench/scenarios/setup.hpp"

#include <algorithm>
#include <iostream>

namespace bench {

namespace {

/// A number of server threads, and the runs with it.
struct step {
    std::size_t cores = 1;
    placement where;
    std::vector<measurement> runs;

    double throughput() const { return median_of(runs, &measurement::throughput); }
    double cpu() const
    {
        return median_of(runs, [](auto& run) { return run.server_cpu_per_request().value_or(0); });
    }
};

/// Throughput per core, relative to that of the base: 1 is linear.
double linearity(const step& of, const step& base)
{
    auto each = [](const step& one) { return one.throughput() / static_cast<double>(one.cores); };
    return each(base) > 0 ? each(of) / each(base) : 0;
}

std::vector<step> steps_of(const options& wanted)
{
    auto all = allowed_cpus();
    auto of_server = wanted.server_cpus.empty() ? all : parse_cpus(wanted.server_cpus);
    auto own = wanted.cpus.empty() ? std::vector<int>{} : parse_cpus(wanted.cpus);
    auto cores = wanted.cores.empty() ? default_cores(of_server.size()) : wanted.cores;
    std::vector<step> out;
    for (auto count : cores) {
        if (count > of_server.size())
            throw failure("there are " + std::to_string(of_server.size()) +
                          " processors for the server, not " + std::to_string(count));
        out.push_back({count, place(count, of_server, own, all), {}});
    }
    return out;
}

measurement run(const options& wanted, setup& ready, const step& of, progress& line, const std::string& label)
{
    ready.restart({{of.cores, cpu_list(of.where.server), wanted.serves_tls}});
    auto plan = ready.plan();
    auto threads = of.where.is_shared ? of.cores : std::min(of.cores, of.where.generator.size());
    plan.threads = std::min(std::max(wanted.threads, threads), plan.connections);
    auto before = cpu_list(allowed_cpus());
    pin_to_cpus(cpu_list(of.where.generator)); // inherited by the threads of the load
    auto out =
        measure(verify_key(ready.server(), ready.keys(), wanted.keys), plan, ready.meters(), line, label);
    pin_to_cpus(before);
    return out;
}

std::string as_text(const std::vector<step>& steps)
{
    std::vector<std::vector<std::string>> rows{{"server threads", "checks/s", "server CPU µs", "p50", "p99",
                                                "checks/s per core", "CPU per check", ""}};
    for (auto& one : steps) {
        auto time = [&](double percent) {
            return as_time(
                microseconds(median_of(one.runs, [=](auto& run) { return latency_us(run, percent); })));
        };
        auto base_cpu = steps.front().cpu();
        rows.push_back({std::to_string(one.cores), as_figure(one.throughput()), as_figure(one.cpu()),
                        time(50), time(99), as_figure(linearity(one, steps.front())) + " ×",
                        base_cpu > 0 ? as_figure(one.cpu() / base_cpu) + " ×" : "?",
                        one.where.is_shared ? "shares processors with the generator" : ""});
    }
    auto out = as_table(rows) + "\nRatios are to " + std::to_string(steps.front().cores) +
               (steps.front().cores == 1 ? " thread" : " threads") + "; linear is 1.\n";
    if (std::ranges::any_of(steps, [](auto& one) { return one.where.is_shared; }))
        out += "Where the generator shares the server's processors, checks/s say nothing about the server: "
               "compare the CPU.\n";
    return out;
}

boost::json::object as_json(const std::vector<step>& steps)
{
    boost::json::array out;
    for (auto& one : steps) {
        boost::json::array runs;
        for (auto& run : one.runs)
            runs.push_back(as_json(run));
        out.push_back(boost::json::object{{"server_threads", one.cores},
                                          {"server_cpus", cpu_list(one.where.server)},
                                          {"generator_cpus", cpu_list(one.where.generator)},
                                          {"shared", one.where.is_shared},
                                          {"requests_per_second", one.throughput()},
                                          {"server_cpu_us_per_request", one.cpu()},
                                          {"linearity", linearity(one, steps.front())},
                                          {"runs", std::move(runs)}});
    }
    return {{"steps", std::move(out)}};
}

} // namespace

std::vector<std::size_t> default_cores(std::size_t processors)
{
    std::vector<std::size_t> out;
    for (std::size_t cores = 1; cores < processors; cores *= 2)
        out.push_back(cores);
    out.push_back(std::max<std::size_t>(1, processors));
    return out;
}

placement place(std::size_t cores, const std::vector<int>& of_server, const std::vector<int>& own,
                const std::vector<int>& all)
{
    placement out;
    out.server.assign(of_server.begin(), of_server.begin() + static_cast<std::ptrdiff_t>(cores));
    auto is_servers = [&out](int cpu) { return std::ranges::find(out.server, cpu) != out.server.end(); };
    out.generator = own;
    if (own.empty())
        std::ranges::remove_copy_if(all, std::back_inserter(out.generator), is_servers);
    if (out.generator.empty())
        out.generator = all;
    out.is_shared = std::ranges::any_of(out.generator, is_servers);
    return out;
}

int run_scale(const options& wanted)
{
    progress line(wanted.quiet);
    auto steps = steps_of(wanted);
    setup ready(wanted, line);
    for (std::size_t round = 0; round < wanted.rounds; ++round)
        for (std::size_t i = 0; i < steps.size() && !interrupted(); ++i) {
            // Every second round in the opposite order.
            auto& one = steps[round % 2 ? steps.size() - 1 - i : i];
            auto label = std::to_string(one.cores) + (one.cores == 1 ? " thread " : " threads ") +
                         std::to_string(round + 1) + "/" + std::to_string(wanted.rounds);
            one.runs.push_back(run(wanted, ready, one, line, label));
        }
    if (std::ranges::any_of(steps, [](auto& one) { return one.runs.empty(); }))
        return 130;
    std::vector<measurement> runs;
    for (auto& one : steps)
        std::ranges::copy(one.runs, std::back_inserter(runs));
    std::cout << "\nKey checks, " << ready.plan().connections << " connections, medians of " << wanted.rounds
              << " alternating rounds\n\n"
              << as_text(steps) << warnings_of(runs) << std::flush;
    if (!wanted.json_file.empty())
        write_file(wanted.json_file, boost::json::serialize(as_json(steps)) + "\n");
    return exit_status(runs);
}

} // namespace bench
