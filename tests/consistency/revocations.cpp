// History test: several nodes under load, with revocations and faults. No success may begin
// after its revocation returned.
//
// LATCHKEY_HISTORY_SECONDS makes it longer, LATCHKEY_HISTORY_SEED repeats the choices (not the
// timing) of another run.
#include "tests/consistency/workload.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <future>
#include <iostream>

using namespace consistency;
using namespace std::chrono_literals;

namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise)
{
    auto text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

constexpr auto check_timeout = 800ms;
constexpr std::size_t min_revocations = 10;

/// When every node decides checks again after the last fault: a lease, a reconnect, and a margin
/// for a slow machine.
constexpr auto recovery_time = 10s;

/// Checks random grants at random nodes, on a thread of its own.
class prober {
public:
    prober(const nodes& all, const workload& load, recorder& into, std::uint64_t seed)
        : all_(all), workload_(load), into_(into), thread_([this, seed] { work(seed); })
    {}

    ~prober()
    {
        done_ = true;
        thread_.join();
    }

private:
    void work(std::uint64_t seed)
    {
        std::mt19937_64 random(seed);
        clients own(all_, check_timeout);
        std::vector<check> seen;
        while (!done_) {
            auto request = workload_.pick(random);
            auto node = std::uniform_int_distribution<std::size_t>(0, all_.size() - 1)(random);
            seen.push_back(ask(own, request, node));
            if (seen.back().outcome == outcome::unknown)
                std::this_thread::sleep_for(5ms);
            std::this_thread::sleep_for(200us);
        }
        into_.add(std::move(seen));
    }

    const nodes& all_;
    const workload& workload_;
    recorder& into_;
    std::atomic<bool> done_{false};
    std::thread thread_;

public:
    static check ask(clients& own, const check_request& request, std::size_t node)
    {
        check out{request.grant, node, clock::now(), {}, outcome::unknown, ""};
        try {
            auto answer = own.at(node).get(request.path, request.credential);
            out.response = std::to_string(answer.status) + " " + answer.code();
            if (answer.status == 200)
                out.outcome = outcome::accepted;
            else if (answer.status == 401 || answer.status == 403)
                out.outcome = outcome::rejected;
        } catch (const boost::system::system_error& e) {
            out.response = e.code().message();
        }
        out.end = clock::now();
        return out;
    }
};

/// Inject a random fault, and wait until it is over. @return its description
std::string inject_fault(nodes& all, std::mt19937_64& random)
{
    auto which = std::uniform_int_distribution<std::size_t>(0, all.size() - 1)(random);
    auto is_short = std::bernoulli_distribution(0.5)(random); // compared with a lease
    std::uniform_int_distribution<int> briefly(100, 1500), long_enough(2800, 4200);
    auto time = std::chrono::milliseconds(is_short ? briefly(random) : long_enough(random));
    auto name = std::to_string(which);
    switch (std::uniform_int_distribution<int>(0, 8)(random)) {
    case 0:
    case 1:
    case 2:
        all.suspend_for(which, time);
        return "node " + name + " was suspended for " + std::to_string(time.count()) + " ms";
    case 3:
        all.kill(which);
        return "node " + name + " was killed";
    case 4:
    case 5:
        all.terminate_connections();
        return "connections were terminated";
    case 6:
    case 7:
        all.mute_one_for(time);
        return "a node received nothing for " + std::to_string(time.count()) + " ms";
    default:
        all.restart_postgres();
        return "PostgreSQL was restarted";
    }
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
    out += right.name + " at node " + std::to_string(found.check.node) + " (" + found.check.response + ")";
    if (right.revoked)
        out += ", begun " + since(*right.revoked, found.check.begin) + " after its revocation";
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(revocations)

BOOST_AUTO_TEST_CASE(no_success_begins_after_its_revocation_has_returned)
{
    auto seed = setting("LATCHKEY_HISTORY_SEED", std::random_device()());
    auto lasts = std::chrono::seconds(setting("LATCHKEY_HISTORY_SECONDS", 20));
    std::mt19937_64 random(seed);
    nodes all(3, random());
    recorder history;
    workload load(all, history);
    while (load.members() < 12)
        BOOST_REQUIRE(load.add_member());

    // Child processes die with the thread that started them, so this one stays until the end.
    auto begun = clock::now(), last_fault = begun;
    std::vector<std::string> faults;
    std::promise<void> faults_ended, test_ended;
    std::jthread fault_injector([&, mine = std::mt19937_64(random())](std::stop_token done) mutable {
        all.mute_one_for(3500ms); // longer than a lease, in every history
        while (!done.stop_requested()) {
            std::this_thread::sleep_for(
                std::chrono::milliseconds(std::uniform_int_distribution<int>(200, 1500)(mine)));
            auto fault = inject_fault(all, mine);
            last_fault = clock::now();
            auto at = std::chrono::duration_cast<std::chrono::milliseconds>(last_fault - begun);
            faults.push_back("by " + std::to_string(at.count()) + " ms " + fault);
        }
        faults_ended.set_value();
        test_ended.get_future().wait();
    });
    struct releases {
        std::promise<void>& of;
        ~releases() { of.set_value(); }
    } on_exit{test_ended};
    {
        prober one(all, load, history, random()), two(all, load, history, random());
        auto is_enough = [&, most = 4 * lasts] {
            auto passed = clock::now() - begun;
            return passed > most || (passed > lasts && load.revocations() >= min_revocations);
        };
        while (!is_enough()) {
            load.revoke_something(random);
            while (load.members() < 12)
                load.add_member();
        }
        fault_injector.request_stop();
        faults_ended.get_future().wait();
        std::this_thread::sleep_for(recovery_time / 2);
    }

    for (std::size_t node = 0; node < all.size(); ++node)
        BOOST_REQUIRE_MESSAGE(all.is_running(node), "node " << node << " has exited: " << all.log_tail(node));

    // After the last fault every node decides correctly.
    clients own(all, check_timeout);
    std::vector<check> last;
    for (auto& each : load.requests())
        for (std::size_t node = 0; node < all.size(); ++node)
            last.push_back(prober::ask(own, each, node));
    auto grants = history.grants();
    for (auto& each : last) {
        auto& right = grants[each.grant];
        BOOST_TEST((each.outcome != outcome::unknown), right.name + ": " + each.response);
        if (!right.revoking)
            BOOST_TEST((each.outcome == outcome::accepted), right.name + ": " + each.response);
    }
    history.add(std::move(last));

    auto checks = history.checks();
    for (auto& found : find_violations(grants, checks))
        BOOST_ERROR(describe(found, grants) << " (seed " << seed << ")");
    for (std::size_t node = 0; node < all.size(); ++node) {
        auto outage = longest_outage(checks, node, last_fault, last_fault + recovery_time / 2);
        BOOST_TEST((outage < recovery_time / 2),
                   "node " << node << " is unresponsive: " << all.log_tail(node));
    }

    // The test is vacuous without revocations, accepted checks and faults.
    auto accepted = std::ranges::count(checks, outcome::accepted, &check::outcome);
    std::cout << "seed " << seed << ": " << load.revocations() << " revocations, " << checks.size()
              << " checks, " << accepted << " accepted, " << faults.size() << " faults\n";
    for (auto& each : faults)
        std::cout << each << '\n';
    BOOST_TEST(load.revocations() >= min_revocations);
    BOOST_TEST(accepted >= 1000);
    BOOST_TEST(faults.size() >= 3u);
}

BOOST_AUTO_TEST_SUITE_END()
