#include "bench/scenarios/commands.hpp"

#include "bench/load/failure.hpp"
#include "bench/load/interrupt.hpp"
#include "bench/report/comparison.hpp"
#include "bench/report/report.hpp"
#include "bench/report/text.hpp"
#include "bench/scenarios/lists.hpp"
#include "bench/scenarios/setup.hpp"

#include <algorithm>
#include <array>
#include <iostream>

namespace bench {

namespace {

/** Say what is wrong, if anything, and turn it into the exit status. */
int judge(const std::vector<measurement>& runs)
{
    int status = 0;
    for (auto& run : runs)
        if (auto complaint = run.complaint()) {
            std::cerr << "latchkey-bench: " << run.title << ": " << *complaint << "\n";
            status = 1;
        }
    return interrupted() ? 130 : status;
}

scenario choose(const options& wanted, const preparation& ready)
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
    return judge({run});
}

int run_scenario(const options& wanted)
{
    progress line(wanted.quiet);
    preparation ready(wanted, line);
    return finish(wanted, measure(choose(wanted, ready), ready.plan(), ready.meters(), line));
}

int run_get(const options& wanted)
{
    progress line(wanted.quiet);
    auto plan = plan_of(wanted);
    plan.target = resolve(wanted.server);
    auto headers = split_headers(wanted.headers);
    return finish(
        wanted, measure(get(wanted.server, headers), plan, meters_of(wanted.server, wanted.processes), line));
}

int finish(const options& wanted, const sides& both, boost::json::object summary)
{
    if (!wanted.json_file.empty())
        write_file(wanted.json_file, boost::json::serialize(both.as_json(std::move(summary))) + "\n");
    if (!wanted.svg_file.empty())
        write_file(wanted.svg_file, both.as_plot(wanted.command));
    return judge(both.all());
}

int run_compare(const options& wanted)
{
    progress line(wanted.quiet);
    sides both("A", "B");
    for (std::size_t round = 0; round < wanted.rounds && !interrupted(); ++round)
        for (std::size_t side = 0; side < 2 && !interrupted(); ++side) {
            auto& one = side == 0 ? wanted.a : wanted.b;
            auto plan = plan_of(wanted);
            plan.target = resolve(*one.where);
            auto headers = split_headers(one.headers);
            auto label =
                both.name(side) + " " + std::to_string(round + 1) + "/" + std::to_string(wanted.rounds);
            both.add(side, measure(get(*one.where, headers), plan, meters_of(*one.where, one.processes), line,
                                   label));
        }
    if (!both.complete())
        return 130;
    std::cout << "\nA  " << wanted.a.where->text() << "\nB  " << wanted.b.where->text() << "\n\n"
              << both.as_text() << std::flush;
    boost::json::object summary{{"a", wanted.a.where->text()}, {"b", wanted.b.where->text()}};
    if (auto a = both.median_cpu(0), b = both.median_cpu(1); a && b && *b > 0) {
        std::cout << "\nA request of A costs its server " << as_figure(*a / *b)
                  << " times the CPU of one of B.\n";
        summary["cpu_ratio"] = *a / *b;
    }
    return finish(wanted, both, std::move(summary));
}

/** Key checks alone and beside other traffic, in turn. */
struct contrast {
    sides both;
    double answers = 0, seconds = 0; ///< of the other traffic

    double ratio() const { return both.median_latency(1, 99) / both.median_latency(0, 99); }
    double answers_per_second() const { return answers / seconds; }
};

/** @param plan of the key checks; the other traffic gets its duration
    @param storm how the other traffic is applied */
contrast measure_beside(const options& wanted, const preparation& ready, progress& line,
                        const std::string& name, const scenario& other, const load_plan& plan,
                        load_plan storm)
{
    auto checks = verify_key(ready.server(), ready.keys(), wanted.keys);
    contrast out{sides("quiet", name)};
    storm.threads = 1;
    storm.duration = plan.duration + plan.drain;
    for (std::size_t round = 0; round < wanted.rounds && !interrupted(); ++round) {
        auto turn = " " + std::to_string(round + 1) + "/" + std::to_string(wanted.rounds);
        out.both.add(0, measure(checks, plan, ready.meters(), line, out.both.name(0) + turn));
        if (interrupted())
            break;
        load background(storm, other.kinds, other.make_traffic);
        out.both.add(1, measure(checks, plan, ready.meters(), line, out.both.name(1) + turn));
        background.stop();
        auto stormed = background.wait();
        out.answers += static_cast<double>(stormed.total().expected);
        out.seconds += stormed.seconds;
    }
    return out;
}

load_plan modest_checks(const preparation& ready)
{
    auto plan = ready.plan();
    constexpr double modest = 2000;
    if (plan.rate == 0)
        plan.rate = modest;
    return plan;
}

int run_isolation(const options& wanted)
{
    progress line(wanted.quiet);
    preparation ready(wanted, line);
    auto plan = modest_checks(ready);
    auto storm = plan;
    storm.rate = 0;
    storm.connections = wanted.login_connections;
    auto logins = login(ready.server(), ready.data());
    auto seen = measure_beside(wanted, ready, line, "logins", logins, plan, storm);
    if (!seen.both.complete())
        return 130;
    std::cout << "\nKey checks at " << as_figure(plan.rate) << " a second, without and with "
              << wanted.login_connections << " connections that log in without a pause ("
              << as_figure(seen.answers_per_second()) << " logins a second)\n\n"
              << seen.both.as_text() << "\nUnder logins the p99 of a key check is " << as_figure(seen.ratio())
              << " times what it is without.\nThe CPU column counts the hashes of the logins too.\n"
              << std::flush;
    return finish(wanted, seen.both,
                  {{"p99_ratio", seen.ratio()}, {"logins_per_second", seen.answers_per_second()}});
}

int run_stuck(const options& wanted)
{
    progress line(wanted.quiet);
    preparation ready(wanted, line);
    auto plan = modest_checks(ready);
    auto waiting = plan;
    constexpr double some = 40;
    waiting.rate = some;
    waiting.connections = 400; // each may be held for the whole deadline of a call to the provider
    auto seen =
        measure_beside(wanted, ready, line, "stuck", correspond(ready.server(), ready.data()), plan, waiting);
    if (!seen.both.complete())
        return 130;
    std::cout << "\nKey checks at " << as_figure(plan.rate)
              << " a second, alone, and beside requests that write mail or begin a sign-in elsewhere while "
                 "the mail "
                 "server and the provider hang ("
              << as_figure(seen.answers_per_second()) << " answers a second)\n\n"
              << seen.both.as_text() << "\nBeside them the p99 of a key check is " << as_figure(seen.ratio())
              << " times what it is alone.\n"
              << std::flush;
    return finish(wanted, seen.both,
                  {{"p99_ratio", seen.ratio()}, {"answers_per_second", seen.answers_per_second()}});
}

int run_idle(const options& wanted)
{
    progress line(wanted.quiet);
    preparation ready(wanted, line);
    auto plan = ready.plan();
    constexpr double modest = 1000;
    if (plan.rate == 0)
        plan.rate = modest;
    auto checks = verify_key(ready.server(), ready.keys(), wanted.keys);
    auto process = ready.meters().server;

    sides both("alone", "crowded");
    both.add(0, measure(checks, plan, ready.meters(), line, both.name(0)));
    auto before = process.resident_bytes();
    line.say("Opening " + with_commas(wanted.idle) + " connections that send one request and then stay …");
    crowd idlers(ready.server(), wanted.idle);
    auto after = process.resident_bytes();
    both.add(1, measure(checks, plan, ready.meters(), line, both.name(1)));
    auto left = idlers.still_open();

    auto each = (static_cast<double>(after) - static_cast<double>(before)) / static_cast<double>(wanted.idle);
    std::cout << "\nKey checks at " << as_figure(plan.rate) << " a second, alone and beside "
              << with_commas(wanted.idle) << " idle connections\n\n"
              << both.as_text() << "\n  server memory before   " << as_bytes(before)
              << "\n  server memory after    " << as_bytes(after) << "\n  for each connection    "
              << as_figure(std::max(0.0, each) / 1e3) << " kB\n  still open at the end  " << with_commas(left)
              << "\n"
              << std::flush;
    return finish(wanted, both,
                  {{"idle", wanted.idle},
                   {"memory_before_bytes", before},
                   {"memory_after_bytes", after},
                   {"bytes_per_connection", each},
                   {"open_at_end", left}});
}

/** A page, by name, and by whom it is asked for. */
struct page_side {
    std::string name, target, token;
};

/** One page against another, in turn. */
sides measure_pages(const options& wanted, const preparation& ready, progress& line, const std::string& list,
                    const std::array<page_side, 2>& pages)
{
    sides both(pages[0].name, pages[1].name);
    for (std::size_t round = 0; round < wanted.rounds && !interrupted(); ++round)
        for (std::size_t side = 0; side < 2 && !interrupted(); ++side) {
            auto where = ready.server();
            where.target = pages[side].target;
            auto credential = "Bearer " + pages[side].token;
            header authorization{"Authorization", credential};
            auto label = list + ", " + both.name(side) + " " + std::to_string(round + 1) + "/" +
                         std::to_string(wanted.rounds);
            both.add(side,
                     measure(get(where, {&authorization, 1}), ready.plan(), ready.meters(), line, label));
        }
    return both;
}

/** What became of several such pairs. */
class page_findings {
public:
    void add(const std::string& list, const sides& both)
    {
        auto ratio = [&both](double percent) {
            return both.median_latency(1, percent) / both.median_latency(0, percent);
        };
        auto p50 = ratio(50), p99 = ratio(99);
        std::cout << "\nGET " << list << "\n\n"
                  << both.as_text() << "\nThe second page takes " << as_figure(p50)
                  << " times what the first takes at p50, " << as_figure(p99) << " times at p99.\n"
                  << std::flush;
        rows_.push_back({list, both.name(1), both.name(0), as_figure(p50), as_figure(p99), ""});
        found_.push_back(both.as_json({{"list", list},
                                       {"first", both.name(0)},
                                       {"second", both.name(1)},
                                       {"p50_ratio", p50},
                                       {"p99_ratio", p99}}));
        for (auto& run : both.all())
            runs_.push_back(run);
    }

    std::string as_text() const { return as_table(rows_); }
    boost::json::object as_json() const { return {{"pages", found_}}; }
    const std::vector<measurement>& runs() const { return runs_; }

private:
    std::vector<std::vector<std::string>> rows_{{"a page", "is", "against", "p50", "p99", ""}};
    boost::json::array found_;
    std::vector<measurement> runs_;
};

list_sizes large_sizes(const options& wanted)
{
    constexpr std::size_t usual = 1'000'000, keys_of_a_member = 10;
    list_sizes out;
    out.keys = wanted.key_count.value_or(usual);
    out.members = wanted.members.value_or(out.keys / keys_of_a_member);
    out.events = wanted.events.value_or(out.keys);
    return out;
}

int run_pages(const options& wanted)
{
    progress line(wanted.quiet);
    preparation ready(wanted, line);
    const list_sizes few;
    auto many = large_sizes(wanted);
    line.say("Filling a workspace with " + with_commas(many.members) + " members, " + with_commas(many.keys) +
             " keys and " + with_commas(many.events) + " events, another with " + with_commas(few.keys) +
             " of each …");
    fill_workspace(ready.database_url(), ready.data().emails[0], few);
    fill_workspace(ready.database_url(), ready.data().emails[1], many);
    auto& small = ready.tokens()[0];
    auto& large = ready.tokens()[1];
    auto read = read_pages(ready.server(), large);

    struct list {
        std::string path;
        std::size_t rows;
        bool filtered = false; // compared by size alone: it is the same index that goes deep
    };
    const list lists[] = {{"/team", many.members},
                          {"/team?role=manager", many.members, true},
                          {"/api-keys", many.keys},
                          {"/api-keys?status=revoked", many.keys, true},
                          {"/team/api-keys", many.keys},
                          {"/team/api-keys?status=active", many.keys, true},
                          {"/team/api-keys?status=revoked", many.keys, true},
                          {"/audit", many.events},
                          {"/audit?action=session.open", many.events, true}};
    page_findings findings;
    auto compare = [&](const std::string& list, const page_side& first, const page_side& second) {
        auto both = measure_pages(wanted, ready, line, list, {first, second});
        if (both.complete())
            findings.add(list, both);
    };
    for (auto& one : lists) {
        if (interrupted())
            break;
        auto path = "/api/v1/users" + one.path;
        if (!one.filtered)
            line.say("Turning the pages of " + one.path + " …");
        auto depths = one.filtered ? std::vector<double>{0} : std::vector<double>{0, 0.5, 0.99};
        auto pages = find_pages(read, path, one.rows, depths);
        auto name = "in " + with_commas(one.rows);
        compare(one.path, {"in " + with_commas(few.keys), pages[0], small}, {name, pages[0], large});
        if (!one.filtered) {
            compare(one.path, {"first", pages[0], large}, {"half-way down", pages[1], large});
            compare(one.path, {"first", pages[0], large}, {"at 99 %", pages[2], large});
        }
    }
    std::cout << "\nWhat a page takes, as a multiple of another\n\n" << findings.as_text() << std::flush;
    if (!wanted.json_file.empty())
        write_file(wanted.json_file, boost::json::serialize(findings.as_json()) + "\n");
    return judge(findings.runs());
}

} // namespace

int run_command(const options& wanted)
{
    if (!wanted.cpus.empty())
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
    return run_scenario(wanted);
}

} // namespace bench
