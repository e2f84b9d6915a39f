#include "bench/load/measure.hpp"

#include "bench/load/interrupt.hpp"
#include "bench/report/text.hpp"

#include <algorithm>

namespace bench {

using namespace std::chrono_literals;

namespace {

struct reading {
    double server = 0, database = 0, generator = 0;
};

reading read(const meters& watched)
{
    return {watched.server.cpu_seconds(), watched.database.cpu_seconds(), own_cpu_seconds()};
}

double in_seconds(std::chrono::nanoseconds time)
{
    return std::chrono::duration<double>(time).count();
}

/// Shows the progress of a run every second, and reads the meters at both ends of the measured window.
class observer {
public:
    observer(load& run, const meters& watched, progress& line, const std::string& label)
        : run_(run), watched_(watched), line_(line), label_(label.empty() ? "" : label + "   ")
    {}

    void watch()
    {
        watch_until([this] { return run_.measures_from(); }, "warm-up");
        first_ = read(watched_);
        watch_until([this] { return run_.measures_until(); }, {});
        last_ = read(watched_);
        if (interrupted())
            run_.stop();
    }

    reading used() const
    {
        return {last_.server - first_.server, last_.database - first_.database,
                last_.generator - first_.generator};
    }

private:
    template <class End>
    void watch_until(const End& end, const std::string& phase)
    {
        auto begin = steady::now();
        auto shown = begin;
        run_.take_recent(); // drop the statistics of the previous phase
        auto server = watched_.server.cpu_seconds();
        for (auto now = begin; now < end() && !interrupted(); now = steady::now()) {
            // The end may move closer during the sleep: the data can run out.
            std::this_thread::sleep_until(std::min({end(), shown + 1s, now + 100ms}));
            now = steady::now();
            if (now < shown + 1s)
                continue;
            auto seconds = in_seconds(now - std::exchange(shown, now));
            auto server_now = watched_.server.cpu_seconds();
            std::optional<double> busy;
            if (!watched_.server.empty())
                busy = (server_now - std::exchange(server, server_now)) / seconds;
            auto text = phase.empty() ? as_fixed(in_seconds(now - begin), 0) + " s of " +
                                            as_fixed(in_seconds(end() - begin), 0) + " s"
                                      : phase;
            line_.show(label_ + text, run_.take_recent(), seconds, busy);
        }
    }

    load& run_;
    const meters& watched_;
    progress& line_;
    std::string label_;
    reading first_, last_;
};

} // namespace

measurement measure(const scenario& scenario, const load_plan& plan, const meters& watched, progress& line,
                    const std::string& label)
{
    measurement out;
    out.title = scenario.title;
    out.kinds = scenario.kinds;
    out.plan = plan;
    load run(plan, scenario.kinds, scenario.make_source);
    observer observed(run, watched, line, label);
    observed.watch();
    out.server_memory = watched.server.resident_bytes();
    out.result = run.wait();
    out.total = out.result.total();

    auto used = observed.used();
    out.generator_cpu = used.generator;
    out.server_processes = watched.server.processes();
    if (!watched.server.empty())
        out.server_cpu = used.server;
    if (!watched.database.empty())
        out.database_cpu = used.database;
    return out;
}

double measurement::throughput() const
{
    return result.seconds > 0 ? static_cast<double>(total.expected) / result.seconds : 0;
}

std::optional<double> measurement::per_request(std::optional<double> seconds) const
{
    if (!seconds || total.answered() == 0)
        return {};
    return *seconds * 1e6 / static_cast<double>(total.answered());
}

std::vector<std::string> measurement::warnings() const
{
    std::vector<std::string> out;
    auto busy = generator_cpu / (result.seconds * static_cast<double>(plan.threads));
    if (result.seconds > 0 && busy > 0.9 && !plan.spin)
        out.push_back("The generator used " + as_fixed(busy * 100, 0) +
                      " % of its threads: the server may be faster than this. Try --threads " +
                      std::to_string(plan.threads + 1) + ".");
    if (result.exhausted && result.seconds < in_seconds(plan.duration))
        out.push_back("The keys were exhausted after " + as_fixed(result.seconds, 1) +
                      " s, and the measurement ended there. Seed more with --keys.");
    auto scheduled = plan.rate * result.seconds;
    if (plan.rate > 0 && total.unsent > 0)
        out.push_back(with_commas(total.unsent) + " of " + as_figure(scheduled) +
                      " scheduled requests were never sent: the server cannot keep up with the rate, or "
                      "--connections is too low. Their latency is the age that they reached.");
    if (plan.rate > 0 && result.send_delay.percentile(99) > 1ms)
        out.push_back(
            "The generator itself contributed up to " + as_time(result.send_delay.percentile(99)) +
            " (p99) of the latency by sending late: the machine is busy. Give it a processor of its own "
            "(--cpus, --spin).");
    if (interrupted())
        out.push_back("Interrupted: the figures cover the time until then.");
    return out;
}

std::optional<std::string> measurement::failure_reason() const
{
    if (interrupted())
        return {};
    if (total.answered() == 0)
        return "The server answered no request within the measured window.";
    auto all = total.expected + total.unexpected();
    if (total.unexpected() * 1000 > all)
        return with_commas(total.unexpected()) + " of " + with_commas(all) + " requests (" +
               as_fixed(100.0 * static_cast<double>(total.unexpected()) / static_cast<double>(all), 2) +
               " %) were not answered as expected; at most 0.1 % may be.";
    return {};
}

} // namespace bench
