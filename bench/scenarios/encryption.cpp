#include "bench/scenarios/encryption.hpp"

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

/// One load on one of the two servers, and its runs.
struct variant {
    std::string name;
    /// Among those of the setup: 0 for HTTP, 1 for HTTPS.
    std::size_t server = 0;
    std::size_t keys = 1;
    load_plan plan;
    std::vector<measurement> runs;
};

/// Variants in turns, with the first as the base of the ratios.
struct section {
    std::string title;
    std::vector<variant> variants;
};

double cpu_of(const measurement& run)
{
    return run.server_cpu_per_request().value_or(0);
}

section checks(const setup& ready, std::size_t keys, double rate)
{
    auto plan = ready.plan();
    plan.rate = rate;
    auto count = std::to_string(keys) + (keys == 1 ? " key" : " keys");
    auto loop = rate > 0 ? "open loop, " + as_figure(rate) + " requests/s scheduled"
                         : "closed loop, " + std::to_string(plan.connections) + " connections";
    return {count + ", " + loop, {{"HTTP", 0, keys, plan, {}}, {"HTTPS", 1, keys, plan, {}}}};
}

section connections(const setup& ready)
{
    auto plan = ready.plan();
    plan.rate = 0;
    plan.reconnects = true;
    constexpr std::size_t keys = 100;
    section out{"a new connection for each check, closed loop, " + std::to_string(plan.connections) +
                    " at a time",
                {{"HTTP", 0, keys, plan, {}}, {"HTTPS, resumed", 1, keys, plan, {}}}};
    out.variants.back().plan.resumes_sessions = true;
    out.variants.push_back({"HTTPS, full", 1, keys, plan, {}});
    return out;
}

measurement run(const setup& ready, const variant& of, progress& line, const std::string& label)
{
    auto& server = ready.servers().at(of.server);
    auto plan = of.plan;
    plan.targets = {resolve(server)};
    key_options keys;
    keys.hot_keys = of.keys;
    auto scenario = verify_key(server, ready.keys(), keys);
    scenario.title = of.name;
    return measure(scenario, plan, ready.meters_of_server(of.server), line, label);
}

/// Every second round in the opposite order.
void run_round(const setup& ready, section& of, std::size_t round, progress& line, std::size_t rounds)
{
    auto count = of.variants.size();
    for (std::size_t i = 0; i < count && !interrupted(); ++i) {
        auto& one = of.variants[round % 2 ? count - 1 - i : i];
        auto label = of.title.substr(0, of.title.find(',')) + ", " + one.name + " " +
                     std::to_string(round + 1) + "/" + std::to_string(rounds);
        one.runs.push_back(run(ready, one, line, label));
    }
}

std::vector<std::string> row(const variant& of)
{
    auto cpu = median_of(of.runs, cpu_of);
    auto time = [&](double percent) {
        return as_time(microseconds(median_of(of.runs, [=](auto& run) { return latency_us(run, percent); })));
    };
    auto late = median_of(of.runs, [](auto& run) { return lateness_us(run, 99); });
    return {of.name,
            as_figure(median_of(of.runs, &measurement::throughput)),
            cpu > 0 ? as_figure(cpu) : "?",
            cpu > 0 ? as_figure(1e6 / cpu) : "?",
            time(50),
            time(95),
            time(99),
            late > 0 ? as_time(microseconds(late)) : "–",
            ""};
}

std::vector<std::string> ratios(const variant& of, const variant& base)
{
    auto ratio = [&](const figure& what) {
        auto mine = median_of(of.runs, what), other = median_of(base.runs, what);
        return mine > 0 && other > 0 ? as_figure(mine / other) + " ×" : std::string("?");
    };
    auto time = [&](double percent) { return ratio([=](auto& run) { return latency_us(run, percent); }); };
    auto per_core = [](auto& run) { return cpu_of(run) > 0 ? 1e6 / cpu_of(run) : 0; };
    return {of.name + " / " + base.name,
            ratio(&measurement::throughput),
            ratio(cpu_of),
            ratio(per_core),
            time(50),
            time(95),
            time(99),
            "",
            ""};
}

std::string as_text(const section& of)
{
    std::vector<std::vector<std::string>> rows{
        {of.title, "requests/s", "server CPU µs", "per core/s", "p50", "p95", "p99", "sent late, p99", ""}};
    for (auto& one : of.variants)
        rows.push_back(row(one));
    for (std::size_t i = 1; i < of.variants.size(); ++i)
        rows.push_back(ratios(of.variants[i], of.variants[0]));
    return as_table(rows);
}

boost::json::object as_json(const section& of)
{
    boost::json::object out{{"title", of.title}};
    for (auto& one : of.variants) {
        boost::json::array runs;
        for (auto& run : one.runs)
            runs.push_back(as_json(run));
        out[one.name] = std::move(runs);
    }
    return out;
}

/// Why the figures of resumed or full handshakes are not what they are named, if so.
std::string check_handshakes(const section& of)
{
    for (auto& one : of.variants)
        for (auto& run : one.runs) {
            auto full = run.result.full_handshakes, resumed = run.result.resumed_handshakes;
            // The first connection of each slot has no session yet.
            auto others = one.plan.resumes_sessions ? full - std::min(full, one.plan.connections) : resumed;
            if (others > 0)
                return "\n" + one.name + ": " + with_commas(others) + " of " + with_commas(full + resumed) +
                       " handshakes were " + (one.plan.resumes_sessions ? "full" : "resumed") + ".\n";
        }
    return {};
}

} // namespace

int run_tls(const options& wanted)
{
    progress line(wanted.quiet);
    setup ready(wanted, line);
    constexpr double default_rate = 10'000;
    auto rate = ready.plan().rate > 0 ? ready.plan().rate : default_rate;
    std::vector<section> sections;
    for (std::size_t keys : {1u, 100u}) {
        sections.push_back(checks(ready, keys, rate));
        sections.push_back(checks(ready, keys, 0));
    }
    sections.push_back(connections(ready));
    for (std::size_t round = 0; round < wanted.rounds; ++round)
        for (auto& one : sections)
            run_round(ready, one, round, line, wanted.rounds);

    auto is_incomplete = [](const section& of) {
        return std::ranges::any_of(of.variants, [](auto& one) { return one.runs.empty(); });
    };
    if (std::ranges::any_of(sections, is_incomplete))
        return 130;
    std::cout << "\nKey checks over HTTPS (TLS 1.3) and HTTP, medians of " << wanted.rounds
              << " alternating rounds; \"per core\" is requests per second of server CPU\n";
    boost::json::array json;
    std::vector<measurement> runs;
    for (auto& one : sections) {
        std::cout << "\n" << as_text(one);
        json.push_back(as_json(one));
        for (auto& of : one.variants)
            std::ranges::copy(of.runs, std::back_inserter(runs));
    }
    std::cout << check_handshakes(sections.back()) << warnings_of(runs) << std::flush;
    if (!wanted.json_file.empty())
        write_file(wanted.json_file,
                   boost::json::serialize(boost::json::object{{"sections", std::move(json)}}) + "\n");
    return exit_status(runs);
}

} // namespace bench
