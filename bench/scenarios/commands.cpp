#include "bench/scenarios/commands.hpp"

#include "bench/load/failure.hpp"
#include "bench/load/interrupt.hpp"
#include "bench/report/comparison.hpp"
#include "bench/report/report.hpp"
#include "bench/report/text.hpp"
#include "bench/scenarios/encryption.hpp"
#include "bench/scenarios/lists.hpp"
#include "bench/scenarios/revocations.hpp"
#include "bench/scenarios/scaling.hpp"
#include "bench/scenarios/setup.hpp"

#include <algorithm>
#include <array>
#include <chrono>
#include <iostream>
#include <thread>

namespace bench {

namespace {

scenario scenario_of(const options& wanted, const setup& ready)
{
    auto& server = ready.server();
    if (wanted.command == "verify-key")
        return verify_key(server, ready.keys(), wanted.keys);
    if (wanted.command == "verify-jwt")
        return verify_jwt(server, ready.tokens());
    if (wanted.command == "login")
        return login(server, ready.data());
    if (wanted.command == "mint")
        return mint(server, ready.tokens());
    return mixed(server, ready.data(), ready.tokens(), wanted.keys);
}

int finish(const options& wanted, const measurement& run)
{
    std::cout << "\n" << as_text(run) << std::flush;
    if (!wanted.json_file.empty())
        write_file(wanted.json_file, boost::json::serialize(as_json(run)) + "\n");
    if (!wanted.svg_file.empty()) {
        std::vector<series> curves;
        for (std::size_t i = 0; i < run.kinds.size(); ++i)
            curves.push_back({run.kinds[i].name, run.result.kinds[i].latency});
        write_file(wanted.svg_file, plot(run.title, conditions(run), curves));
    }
    return exit_status({run});
}

int run_scenario(const options& wanted)
{
    progress line(wanted.quiet);
    setup ready(wanted, line);
    return finish(wanted, measure(scenario_of(wanted, ready), ready.plan(), ready.meters(), line));
}

int run_get(const options& wanted)
{
    progress line(wanted.quiet);
    auto plan = plan_of(wanted);
    plan.targets = {resolve(wanted.server)};
    auto headers = split_headers(wanted.headers);
    return finish(wanted, measure(get(wanted.server, headers), plan,
                                  meters_of({wanted.server}, wanted.processes), line));
}

int finish(const options& wanted, const comparison& result, boost::json::object summary)
{
    if (!wanted.json_file.empty())
        write_file(wanted.json_file, boost::json::serialize(result.as_json(std::move(summary))) + "\n");
    if (!wanted.svg_file.empty())
        write_file(wanted.svg_file, result.as_plot(wanted.command));
    return exit_status(result.all());
}

int run_compare(const options& wanted)
{
    progress line(wanted.quiet);
    comparison result("A", "B");
    for (std::size_t round = 0; round < wanted.rounds && !interrupted(); ++round)
        for (std::size_t variant = 0; variant < 2 && !interrupted(); ++variant) {
            auto& target = variant == 0 ? wanted.a : wanted.b;
            auto plan = plan_of(wanted);
            plan.targets = {resolve(*target.where)};
            auto headers = split_headers(target.headers);
            auto label =
                result.name(variant) + " " + std::to_string(round + 1) + "/" + std::to_string(wanted.rounds);
            result.add(variant, measure(get(*target.where, headers), plan,
                                        meters_of({*target.where}, target.processes), line, label));
        }
    if (!result.complete())
        return 130;
    std::cout << "\nA  " << wanted.a.where->text() << "\nB  " << wanted.b.where->text() << "\n\n"
              << result.as_text() << std::flush;
    boost::json::object summary{{"a", wanted.a.where->text()}, {"b", wanted.b.where->text()}};
    if (auto a = result.median_cpu(0), b = result.median_cpu(1); a && b && *b > 0) {
        std::cout << "\nA request to A costs " << as_figure(*a / *b) << " times the CPU of a request to B.\n";
        summary["cpu_ratio"] = *a / *b;
    }
    return finish(wanted, result, std::move(summary));
}

/// Key checks without and with background load, in alternating rounds.
struct interference {
    comparison result;
    /// Responses to the background load, and its duration.
    double responses = 0, seconds = 0;

    double ratio() const { return result.median_latency(1, 99) / result.median_latency(0, 99); }
    double responses_per_second() const { return responses / seconds; }
};

/** Measure key checks with `plan`, without and with a background scenario.
    @param background_plan the load of the background scenario; it runs as long as the key checks */
interference measure_with_background(const options& wanted, const setup& ready, progress& line,
                                     const std::string& name, const scenario& background,
                                     const load_plan& plan, load_plan background_plan)
{
    auto checks = verify_key(ready.server(), ready.keys(), wanted.keys);
    interference out{comparison("alone", name)};
    background_plan.threads = 1;
    background_plan.spin = false; // its send times do not matter, and the processors are not its own
    background_plan.duration = plan.duration + plan.drain;
    for (std::size_t round = 0; round < wanted.rounds && !interrupted(); ++round) {
        auto round_label = " " + std::to_string(round + 1) + "/" + std::to_string(wanted.rounds);
        out.result.add(0, measure(checks, plan, ready.meters(), line, out.result.name(0) + round_label));
        if (interrupted())
            break;
        load running(background_plan, background.kinds, background.make_source);
        out.result.add(1, measure(checks, plan, ready.meters(), line, out.result.name(1) + round_label));
        running.stop();
        auto background_result = running.wait();
        out.responses += static_cast<double>(background_result.total().expected);
        out.seconds += background_result.seconds;
    }
    return out;
}

load_plan moderate_load(const setup& ready)
{
    auto plan = ready.plan();
    constexpr double rate = 2000;
    if (plan.rate == 0)
        plan.rate = rate;
    return plan;
}

int run_isolation(const options& wanted)
{
    progress line(wanted.quiet);
    setup ready(wanted, line);
    auto plan = moderate_load(ready);
    auto login_plan = plan;
    login_plan.rate = 0;
    login_plan.connections = wanted.login_connections;
    auto logins = login(ready.server(), ready.data());
    auto measured = measure_with_background(wanted, ready, line, "logins", logins, plan, login_plan);
    if (!measured.result.complete())
        return 130;
    std::cout
        << "\nKey checks at " << as_figure(plan.rate) << " per second, without and with "
        << wanted.login_connections << " connections that log in continuously ("
        << as_figure(measured.responses_per_second()) << " logins per second)\n\n"
        << measured.result.as_text() << "\nWith logins, the p99 of a key check is "
        << as_figure(measured.ratio())
        << " times the p99 without them.\nThe CPU column includes the password hashes of the logins. The "
           "last column is how late the generator\nitself sent (p99); latencies include that.\n"
        << std::flush;
    return finish(wanted, measured.result,
                  {{"p99_ratio", measured.ratio()}, {"logins_per_second", measured.responses_per_second()}});
}

int run_stuck(const options& wanted)
{
    progress line(wanted.quiet);
    setup ready(wanted, line);
    auto plan = moderate_load(ready);
    auto hanging_plan = plan;
    constexpr double rate = 40;
    hanging_plan.rate = rate;
    hanging_plan.connections = 400; // each may be blocked until the deadline of a call to the provider
    auto measured = measure_with_background(
        wanted, ready, line, "stuck", mail_and_sign_in(ready.server(), ready.data()), plan, hanging_plan);
    if (!measured.result.complete())
        return 130;
    std::cout
        << "\nKey checks at " << as_figure(plan.rate)
        << " per second, without and with requests that send mail or start an OpenID sign-in while the mail "
           "server and the provider hang ("
        << as_figure(measured.responses_per_second()) << " responses per second)\n\n"
        << measured.result.as_text() << "\nWith them, the p99 of a key check is "
        << as_figure(measured.ratio()) << " times the p99 without them.\n"
        << std::flush;
    return finish(
        wanted, measured.result,
        {{"p99_ratio", measured.ratio()}, {"responses_per_second", measured.responses_per_second()}});
}

/// A process's memory once it no longer falls: a server returns what idle connections had little by little.
std::size_t settled_memory(const process_meter& process)
{
    constexpr int patience = 60, steady = 4; // seconds
    auto lowest = process.resident_bytes();
    for (int waited = 0, since = 0; waited < patience && since < steady && !interrupted(); ++waited) {
        std::this_thread::sleep_for(std::chrono::seconds(1));
        auto now = process.resident_bytes();
        since = now < lowest - lowest / 200 ? 0 : since + 1;
        lowest = std::min(lowest, now);
    }
    return process.resident_bytes();
}

int run_idle(const options& wanted)
{
    progress line(wanted.quiet);
    setup ready(wanted, line);
    auto plan = ready.plan();
    constexpr double rate = 1000;
    if (plan.rate == 0)
        plan.rate = rate;
    auto checks = verify_key(ready.server(), ready.keys(), wanted.keys);
    auto process = ready.meters().server;

    comparison result("without", "with idle");
    result.add(0, measure(checks, plan, ready.meters(), line, result.name(0)));
    auto before = process.resident_bytes();
    line.say("Opening " + with_commas(wanted.idle) + " connections that send one request and stay open …");
    idle_connections idle(ready.server(), wanted.idle);
    auto opened = process.resident_bytes();
    result.add(1, measure(checks, plan, ready.meters(), line, result.name(1)));
    line.say("Waiting until the memory of idle connections has been returned …");
    auto after = settled_memory(process);
    auto still_open = idle.still_open();

    auto bytes_each =
        (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(wanted.idle);
    std::cout << "\nKey checks at " << as_figure(plan.rate) << " per second, without and with "
              << with_commas(wanted.idle) << " idle connections\n\n"
              << result.as_text() << "\n  server memory before   " << as_bytes(before)
              << "\n  as they are opened     " << as_bytes(opened) << "\n  server memory after    "
              << as_bytes(after) << "\n  per connection         "
              << as_figure(std::max(0.0, bytes_each) / 1e3) << " kB\n  still open at the end  "
              << with_commas(still_open) << "\n"
              << std::flush;
    return finish(wanted, result,
                  {{"idle", wanted.idle},
                   {"memory_before_bytes", before},
                   {"memory_opened_bytes", opened},
                   {"memory_after_bytes", after},
                   {"bytes_per_connection", bytes_each},
                   {"open_at_end", still_open}});
}

/// One page of a comparison, and the token to request it with.
struct page_request {
    std::string name, target, token;
};

/// Compare two pages in alternating rounds.
comparison measure_pages(const options& wanted, const setup& ready, progress& line, const std::string& list,
                         const std::array<page_request, 2>& pages)
{
    comparison result(pages[0].name, pages[1].name);
    for (std::size_t round = 0; round < wanted.rounds && !interrupted(); ++round)
        for (std::size_t variant = 0; variant < 2 && !interrupted(); ++variant) {
            auto where = ready.server();
            where.target = pages[variant].target;
            auto credential = "Bearer " + pages[variant].token;
            header authorization{"Authorization", credential};
            auto label = list + ", " + result.name(variant) + " " + std::to_string(round + 1) + "/" +
                         std::to_string(wanted.rounds);
            result.add(variant,
                       measure(get(where, {&authorization, 1}), ready.plan(), ready.meters(), line, label));
        }
    return result;
}

/// The results of several page comparisons.
class page_results {
public:
    void add(const std::string& list, const comparison& result)
    {
        auto ratio = [&result](double percent) {
            return result.median_latency(1, percent) / result.median_latency(0, percent);
        };
        auto p50 = ratio(50), p99 = ratio(99);
        std::cout << "\nGET " << list << "\n\n"
                  << result.as_text() << "\nThe second page takes " << as_figure(p50)
                  << " times as long as the first at p50, " << as_figure(p99) << " times at p99.\n"
                  << std::flush;
        rows_.push_back({list, result.name(1), result.name(0), as_figure(p50), as_figure(p99), ""});
        json_.push_back(result.as_json({{"list", list},
                                        {"first", result.name(0)},
                                        {"second", result.name(1)},
                                        {"p50_ratio", p50},
                                        {"p99_ratio", p99}}));
        for (auto& run : result.all())
            runs_.push_back(run);
    }

    std::string as_text() const { return as_table(rows_); }
    boost::json::object as_json() const { return {{"pages", json_}}; }
    const std::vector<measurement>& runs() const { return runs_; }

private:
    std::vector<std::vector<std::string>> rows_{{"list", "page", "compared with", "p50", "p99", ""}};
    boost::json::array json_;
    std::vector<measurement> runs_;
};

list_sizes large_sizes(const options& wanted)
{
    constexpr std::size_t default_keys = 1'000'000, keys_per_member = 10;
    list_sizes out;
    out.keys = wanted.key_count.value_or(default_keys);
    out.members = wanted.members.value_or(out.keys / keys_per_member);
    out.events = wanted.events.value_or(out.keys);
    return out;
}

int run_pages(const options& wanted)
{
    progress line(wanted.quiet);
    setup ready(wanted, line);
    const list_sizes small_sizes;
    auto sizes = large_sizes(wanted);
    line.say("Filling a workspace with " + with_commas(sizes.members) + " members, " +
             with_commas(sizes.keys) + " keys and " + with_commas(sizes.events) +
             " audit events, another with " + with_commas(small_sizes.keys) + " of each …");
    fill_workspace(ready.database_url(), ready.data().emails[0], small_sizes);
    fill_workspace(ready.database_url(), ready.data().emails[1], sizes);
    auto& small_token = ready.tokens()[0];
    auto& large_token = ready.tokens()[1];
    auto read = read_pages(ready.server(), large_token);

    struct list {
        std::string path;
        std::size_t rows;
        /// Compared by size only: deep pages use the same index as without the filter.
        bool filtered = false;
    };
    const list lists[] = {{"/team", sizes.members},
                          {"/team?role=manager", sizes.members, true},
                          {"/api-keys", sizes.keys},
                          {"/api-keys?status=revoked", sizes.keys, true},
                          {"/team/api-keys", sizes.keys},
                          {"/team/api-keys?status=active", sizes.keys, true},
                          {"/team/api-keys?status=revoked", sizes.keys, true},
                          {"/audit", sizes.events},
                          {"/audit?action=session.open", sizes.events, true}};
    page_results results;
    auto compare = [&](const std::string& list, const page_request& first, const page_request& second) {
        auto result = measure_pages(wanted, ready, line, list, {first, second});
        if (result.complete())
            results.add(list, result);
    };
    for (auto& one : lists) {
        if (interrupted())
            break;
        auto path = "/api/v1/users" + one.path;
        if (!one.filtered)
            line.say("Paging through " + one.path + " …");
        auto depths = one.filtered ? std::vector<double>{0} : std::vector<double>{0, 0.5, 0.99};
        auto pages = find_pages(read, path, one.rows, depths);
        auto name = "in " + with_commas(one.rows);
        compare(one.path, {"in " + with_commas(small_sizes.keys), pages[0], small_token},
                {name, pages[0], large_token});
        if (!one.filtered) {
            compare(one.path, {"first", pages[0], large_token}, {"at 50 %", pages[1], large_token});
            compare(one.path, {"first", pages[0], large_token}, {"at 99 %", pages[2], large_token});
        }
    }
    std::cout << "\nTime of a page relative to another\n\n" << results.as_text() << std::flush;
    if (!wanted.json_file.empty())
        write_file(wanted.json_file, boost::json::serialize(results.as_json()) + "\n");
    return exit_status(results.runs());
}

} // namespace

int run_command(const options& wanted)
{
    if (!wanted.cpus.empty() && wanted.command != "scale") // which pins itself during its measurements
        pin_to_cpus(wanted.cpus);
    if (wanted.command == "get")
        return run_get(wanted);
    if (wanted.command == "compare")
        return run_compare(wanted);
    if (wanted.command == "isolation")
        return run_isolation(wanted);
    if (wanted.command == "stuck")
        return run_stuck(wanted);
    if (wanted.command == "idle")
        return run_idle(wanted);
    if (wanted.command == "pages")
        return run_pages(wanted);
    if (wanted.command == "revoke")
        return run_revoke(wanted);
    if (wanted.command == "tls")
        return run_tls(wanted);
    if (wanted.command == "scale")
        return run_scale(wanted);
    return run_scenario(wanted);
}

} // namespace bench
