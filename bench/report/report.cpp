#include "bench/report/report.hpp"

#include "bench/load/failure.hpp"
#include "bench/load/interrupt.hpp"
#include "bench/report/text.hpp"

#include <array>
#include <fstream>
#include <iostream>

namespace bench {

namespace {

constexpr std::array<std::pair<const char*, double>, 4> shown{
    {{"p50", 50}, {"p90", 90}, {"p99", 99}, {"p99.9", 99.9}}};

double in_seconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double>(time).count();
}

double in_microseconds(std::chrono::nanoseconds time)
{
    return static_cast<double>(time.count()) / 1e3;
}

/// Responses by status, such as "200: 1,234,567", and failures.
std::string statuses(const outcome& one)
{
    std::string out;
    auto add = [&](const std::string& name, std::uint64_t count) {
        if (count > 0)
            out += (out.empty() ? "" : ", ") + name + ": " + with_commas(count);
    };
    for (std::size_t status = 0; status < one.statuses.size(); ++status)
        add(std::to_string(status), one.statuses[status]);
    add("lost", one.lost);
    add("late", one.late);
    add("unsent", one.unsent);
    return out.empty() ? "none" : out;
}

std::vector<std::string> row(const std::string& name, const outcome& one, double seconds)
{
    std::vector<std::string> out{name,
                                 seconds > 0 ? as_figure(static_cast<double>(one.expected) / seconds) : "0"};
    auto time = [&](histogram::duration value) { return one.latency.count() ? as_time(value) : "–"; };
    for (auto [heading, percent] : shown)
        out.push_back(time(one.latency.percentile(percent)));
    out.push_back(time(one.latency.max()));
    out.push_back(statuses(one));
    return out;
}

std::string usage(const measurement& run, const std::string& label, std::optional<double> seconds)
{
    auto each = run.per_request(seconds);
    if (!each || run.result.seconds <= 0)
        return {};
    return "  " + label + as_figure(*each) + " µs/request, " + as_fixed(*seconds, 2) + " s in total, " +
           as_fixed(100 * *seconds / run.result.seconds, 0) + " % of one processor\n";
}

boost::json::object latency_json(const histogram& latency)
{
    boost::json::object out;
    for (auto [heading, percent] : shown)
        out[heading] = in_microseconds(latency.percentile(percent));
    out["p99.99"] = in_microseconds(latency.percentile(99.99));
    out["min"] = in_microseconds(latency.min());
    out["max"] = in_microseconds(latency.max());
    out["mean"] = in_microseconds(latency.mean());
    boost::json::array curve;
    for (auto [percent, value] : latency.curve())
        curve.push_back(boost::json::array{percent, in_microseconds(value)});
    out["curve"] = std::move(curve);
    return out;
}

boost::json::object outcome_json(const std::string& name, const outcome& one, double seconds)
{
    boost::json::object statuses;
    for (std::size_t status = 0; status < one.statuses.size(); ++status)
        if (one.statuses[status] > 0)
            statuses[std::to_string(status)] = one.statuses[status];
    return {{"name", name},
            {"requests_per_second", seconds > 0 ? static_cast<double>(one.expected) / seconds : 0},
            {"latency_us", latency_json(one.latency)},
            {"statuses", std::move(statuses)},
            {"expected", one.expected},
            {"lost", one.lost},
            {"late", one.late},
            {"unsent", one.unsent}};
}

boost::json::value or_null(std::optional<double> number)
{
    return number ? boost::json::value(*number) : boost::json::value(nullptr);
}

} // namespace

std::string conditions(const measurement& run)
{
    auto loop = run.plan.rate > 0 ? "open loop, " + as_figure(run.plan.rate) + " requests/s scheduled"
                                  : std::string("closed loop");
    return loop + ", " + with_commas(run.plan.connections) + " connections, " +
           as_fixed(run.result.seconds, 1) + " s after " + as_fixed(in_seconds(run.plan.warmup), 1) +
           " s of warm-up";
}

std::string as_text(const measurement& run)
{
    auto out = run.title + "\n" + conditions(run) + "\n\n";
    std::vector<std::vector<std::string>> rows{{"", "requests/s"}};
    for (auto [heading, percent] : shown)
        rows[0].emplace_back(heading);
    rows[0].insert(rows[0].end(), {"max", "responses"});
    for (std::size_t i = 0; i < run.kinds.size(); ++i)
        rows.push_back(row(run.kinds[i].name, run.result.kinds[i], run.result.seconds));
    if (run.kinds.size() > 1)
        rows.push_back(row("all", run.total, run.result.seconds));
    out += as_table(rows) + "\n";
    out += usage(run, "server CPU      ", run.server_cpu);
    out += usage(run, "database CPU    ", run.database_cpu);
    out += usage(run, "generator CPU   ", run.generator_cpu);
    if (run.plan.rate > 0)
        out += "  sent late       " + as_time(run.result.send_delay.percentile(99)) +
               " (p99), by the generator itself\n";
    if (run.server_memory > 0)
        out += "  server memory   " + as_bytes(run.server_memory) + "\n";
    for (auto& warning : run.warnings())
        out += "\n" + warning + "\n";
    return out;
}

boost::json::object as_json(const measurement& run)
{
    boost::json::array kinds;
    for (std::size_t i = 0; i < run.kinds.size(); ++i)
        kinds.push_back(outcome_json(run.kinds[i].name, run.result.kinds[i], run.result.seconds));
    boost::json::array warnings;
    for (auto& warning : run.warnings())
        warnings.emplace_back(warning);
    boost::json::object out{{"title", run.title},
                            {"connections", run.plan.connections},
                            {"threads", run.plan.threads},
                            {"rate", run.plan.rate > 0 ? boost::json::value(run.plan.rate) : nullptr},
                            {"warmup_seconds", in_seconds(run.plan.warmup)},
                            {"seconds", run.result.seconds},
                            {"requests_per_second", run.throughput()},
                            {"server_cpu_seconds", or_null(run.server_cpu)},
                            {"server_cpu_us_per_request", or_null(run.server_cpu_per_request())},
                            {"database_cpu_seconds", or_null(run.database_cpu)},
                            {"generator_cpu_seconds", run.generator_cpu},
                            {"server_memory_bytes", run.server_memory},
                            {"reconnects", run.result.reconnects},
                            {"refused", run.result.refused},
                            {"full_handshakes", run.result.full_handshakes},
                            {"resumed_handshakes", run.result.resumed_handshakes},
                            {"kinds", std::move(kinds)},
                            {"all", outcome_json("all", run.total, run.result.seconds)},
                            {"warnings", std::move(warnings)}};
    if (run.plan.rate > 0)
        out["send_delay_us"] = latency_json(run.result.send_delay);
    return out;
}

void write_file(const std::string& path, const std::string& content)
{
    std::ofstream file(path, std::ios::binary);
    file << content;
    if (!file.flush())
        throw failure("cannot write " + path);
}

int exit_status(const std::vector<measurement>& runs)
{
    int status = 0;
    for (auto& run : runs)
        if (auto reason = run.failure_reason()) {
            std::cerr << "latchkey-bench: " << run.title << ": " << *reason << "\n";
            status = 1;
        }
    return interrupted() ? 130 : status;
}

} // namespace bench
