#include "tests/consistency/history_run.hpp"

#include "tests/consistency/prober.hpp"
#include "tests/consistency/workload.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <future>
#include <iostream>
#include <map>
#include <thread>
#include <utility>

namespace consistency {

using namespace std::chrono_literals;

namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise)
{
    auto text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

constexpr std::size_t min_revocations = 10;

/// When every node decides checks again after the last fault: a lease, a reconnect, and a margin
/// for a slow machine.
constexpr auto recovery_time = 5s;

std::chrono::milliseconds between(std::chrono::milliseconds least, std::chrono::milliseconds most,
                                  std::mt19937_64& random)
{
    return std::chrono::milliseconds(
        std::uniform_int_distribution<std::int64_t>(least.count(), most.count())(random));
}

/// Shorter than a lease, or longer.
std::chrono::milliseconds some_time(std::mt19937_64& random)
{
    return std::bernoulli_distribution(0.5)(random) ? between(100ms, 1500ms, random)
                                                    : between(2800ms, 4200ms, random);
}

std::size_t some_node(const nodes& all, std::mt19937_64& random)
{
    return std::uniform_int_distribution<std::size_t>(0, all.size() - 1)(random);
}

std::string text(std::chrono::milliseconds time)
{
    return std::to_string(time.count()) + " ms";
}

std::string describe(const violation& found, const std::vector<grant>& grants)
{
    auto& right = grants[found.check.grant];
    auto since = [](time_point from, time_point to) {
        return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(to - from).count()) +
               " us";
    };
    std::string out =
        found.kind == violation::kind_type::late_success ? "late success: " : "false rejection: ";
    out += right.name + " at node " + std::to_string(found.check.node) + " (status " +
           std::to_string(found.check.status) + ")";
    if (right.revoked)
        out += ", begun " + since(*right.revoked, found.check.begin) + " after its revocation";
    return out;
}

/// The faults of a run, injected one after the other by a thread of its own.
class fault_injector {
public:
    fault_injector(nodes& all, const run_plan& plan, std::uint64_t seed)
        : all_(all), plan_(plan), random_(seed), thread_([this] { work(); })
    {}

    ~fault_injector()
    {
        stop();
        test_ended_.set_value();
        thread_.join();
    }

    /// Whether each of the first faults was injected.
    bool began() const { return injected_ >= plan_.first.size(); }

    /// Wait until the last fault is over.
    void stop()
    {
        if (!stopping_.exchange(true))
            ended_.get_future().wait();
    }

    // After stop().

    time_point last() const { return last_; }
    std::size_t count() const { return injected_; }

    void print(time_point begun) const
    {
        std::map<std::string, std::size_t> kinds;
        for (auto& [at, kind, what] : log_) {
            ++kinds[kind];
            if (log_.size() <= max_lines)
                std::cout << "by " << text(std::chrono::duration_cast<std::chrono::milliseconds>(at - begun))
                          << ' ' << what << '\n';
        }
        for (auto& [kind, count] : kinds)
            std::cout << count << " x " << kind << '\n';
    }

private:
    struct entry {
        time_point at;
        std::string kind, what;
    };

    static constexpr std::size_t max_lines = 60;

    void inject(const fault& one)
    {
        auto what = one.inject(all_, random_);
        last_ = clock::now();
        log_.push_back({last_, one.kind, what});
        ++injected_;
    }

    void work()
    {
        std::vector<double> weights;
        for (auto& each : plan_.later)
            weights.push_back(each.weight);
        for (std::size_t i = 0; !stopping_; ++i) {
            std::this_thread::sleep_for(between(200ms, 1500ms, random_));
            if (i < plan_.first.size())
                inject(plan_.first[i]);
            else if (!weights.empty())
                inject(plan_.later[std::discrete_distribution<std::size_t>(weights.begin(),
                                                                           weights.end())(random_)]);
        }
        ended_.set_value();
        // Child processes die with the thread that started them, so this one stays until the end.
        test_ended_.get_future().wait();
    }

    nodes& all_;
    const run_plan& plan_;
    std::mt19937_64 random_;
    std::vector<entry> log_;
    time_point last_{};
    std::atomic<std::size_t> injected_{0};
    std::atomic<bool> stopping_{false};
    std::promise<void> ended_, test_ended_;
    std::thread thread_;
};

/// Every node decides every grant correctly.
void check_all(const nodes& all, const workload& load, recorder& history)
{
    std::vector<check> last;
    for (auto& each : load.requests())
        for (std::size_t node = 0; node < all.size(); ++node)
            last.push_back(ask(all, each, node));
    auto grants = history.grants();
    std::size_t undecided = 0, wrong = 0;
    for (auto& each : last) {
        undecided += each.outcome == outcome::unknown;
        wrong += !grants[each.grant].revoking && each.outcome != outcome::accepted;
    }
    BOOST_TEST(undecided == 0u);
    BOOST_TEST(wrong == 0u);
    history.add(std::move(last));
}

} // namespace

std::vector<fault> node_faults()
{
    return {{"node suspended", 3,
             [](nodes& all, std::mt19937_64& random) {
                 auto which = some_node(all, random);
                 auto time = some_time(random);
                 all.suspend_for(which, time);
                 return "node " + std::to_string(which) + " was suspended for " + text(time);
             }},
            {"node killed", 1,
             [](nodes& all, std::mt19937_64& random) {
                 auto which = some_node(all, random);
                 all.kill(which);
                 return "node " + std::to_string(which) + " was killed";
             }},
            {"connections terminated", 2,
             [](nodes& all, std::mt19937_64&) -> std::string {
                 all.terminate_connections();
                 return "connections were terminated";
             }},
            {"node without notices", 2,
             [](nodes& all, std::mt19937_64& random) {
                 auto time = some_time(random);
                 all.mute_one_for(time);
                 return "a node received nothing for " + text(time);
             }},
            {"PostgreSQL paused", 1,
             [](nodes& all, std::mt19937_64& random) {
                 auto time = some_time(random);
                 all.pause_postgres_for(time);
                 return "PostgreSQL was paused for " + text(time);
             }},
            {"PostgreSQL restarted", 1, [](nodes& all, std::mt19937_64&) -> std::string {
                 all.restart_postgres();
                 return "PostgreSQL was restarted";
             }}};
}

std::vector<fault> failovers()
{
    return {{"primary killed, standby promoted", 1,
             [](nodes& all, std::mt19937_64&) -> std::string {
                 all.postgres().fail_over();
                 return "the primary was killed, the standby promoted";
             }},
            {"split brain", 1,
             [](nodes& all, std::mt19937_64& random) {
                 auto paused = some_time(random), beside = between(500ms, 4000ms, random);
                 all.postgres().split(paused, beside);
                 return "the primary was paused for " + text(paused) +
                        ", the standby promoted, and both "
                        "were primaries for " +
                        text(beside);
             }},
            {"primary demoted", 1, [](nodes& all, std::mt19937_64&) -> std::string {
                 all.postgres().switch_over();
                 return "primary and standby changed their roles";
             }}};
}

void run_history(run_plan plan)
{
    auto seed = setting("LATCHKEY_HISTORY_SEED", std::random_device()());
    auto least = std::chrono::seconds(
        setting("LATCHKEY_HISTORY_SECONDS", static_cast<std::uint64_t>(plan.length.count())));
    auto wanted = setting("LATCHKEY_HISTORY_CHECKS", 0);
    auto rate = setting("LATCHKEY_HISTORY_RATE", plan.rate);
    std::mt19937_64 random(seed);
    nodes all(3, random());
    recorder history;
    workload load(all, history);
    while (load.members() < 12)
        BOOST_REQUIRE(load.add_member());

    auto begun = clock::now();
    fault_injector faults(all, plan, random());
    {
        // Half of the rate each.
        auto half = (rate + 1) / 2;
        prober one(all, load, history, random(), half), two(all, load, history, random(), half);
        auto is_enough = [&, most = 4 * least + 60s] {
            auto passed = clock::now() - begun;
            if (wanted > 0)
                return history.checks() >= wanted;
            return passed > most ||
                   (passed > least && faults.began() && load.revocations() >= min_revocations);
        };
        while (!is_enough()) {
            load.revoke_something(random);
            while (load.members() < 12)
                load.add_member();
        }
        faults.stop();
        std::this_thread::sleep_for(recovery_time);
    }

    for (std::size_t node = 0; node < all.size(); ++node)
        BOOST_REQUIRE_MESSAGE(all.is_running(node), "node " << node << " has exited: " << all.log_tail(node));
    auto after = history.recent();
    for (std::size_t node = 0; node < all.size(); ++node) {
        auto outage = longest_outage(after, node, faults.last(), faults.last() + recovery_time);
        BOOST_TEST((outage < recovery_time), "node " << node << " is unresponsive: " << all.log_tail(node));
    }
    check_all(all, load, history);

    auto found = history.judge();
    auto grants = history.grants();
    std::size_t late = 0;
    for (auto& each : found.violations) {
        BOOST_ERROR(describe(each, grants) << " (seed " << seed << ")");
        late += each.kind == violation::kind_type::late_success;
    }
    auto seconds = std::chrono::duration<double>(clock::now() - begun).count();
    std::cout << "seed " << seed << ": " << load.revocations() << " revocations, " << found.checks
              << " checks in " << static_cast<std::uint64_t>(seconds) << " s, " << found.accepted
              << " accepted, " << found.rejected << " rejected, " << late << " late, "
              << found.violations.size() - late << " unjust, " << faults.count() << " faults\n";
    faults.print(begun);

    // The test is vacuous without revocations, accepted checks and faults.
    BOOST_TEST(load.revocations() >= min_revocations);
    BOOST_TEST(found.accepted >= 1000u);
    BOOST_TEST(found.rejected >= 1000u);
    BOOST_TEST(faults.count() >= 3u);
}

} // namespace consistency
