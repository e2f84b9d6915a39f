// Several nodes under load, while credentials end and machines fail: no success is ever late.
//
// LATCHKEY_HISTORY_SECONDS makes it longer, LATCHKEY_HISTORY_SEED repeats the choices (not the timing) of
// another run.
#include "tests/consistency/workload.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <cstdlib>
#include <future>
#include <iostream>

using namespace history;
using namespace std::chrono_literals;

namespace {

std::uint64_t setting(const char* name, std::uint64_t otherwise)
{
    auto text = std::getenv(name);
    return text ? std::strtoull(text, nullptr, 10) : otherwise;
}

constexpr auto checks_wait = 800ms;
constexpr std::size_t fewest_revocations = 10;

/// How soon after the last fault every node decides again. A lease, a reconnect, and room for a slow machine.
constexpr auto recovers_within = 10s;

/// Asks all nodes about all claims, on a thread of its own.
class checker {
public:
    checker(const nodes& all, const world& of, recorder& into, std::uint64_t seed)
        : all_(all), world_(of), into_(into), thread_([this, seed] { work(seed); })
    {}

    ~checker()
    {
        done_ = true;
        thread_.join();
    }

private:
    void work(std::uint64_t seed)
    {
        std::mt19937_64 chance(seed);
        clients mine(all_, checks_wait);
        std::vector<check> seen;
        while (!done_) {
            auto what = world_.pick(chance);
            auto node = std::uniform_int_distribution<std::size_t>(0, all_.size() - 1)(chance);
            seen.push_back(ask(mine, what, node));
            if (seen.back().verdict == verdict::unknown)
                std::this_thread::sleep_for(5ms);
            std::this_thread::sleep_for(200us);
        }
        into_.add(std::move(seen));
    }

    const nodes& all_;
    const world& world_;
    recorder& into_;
    std::atomic<bool> done_{false};
    std::thread thread_;

public:
    static check ask(clients& mine, const question& what, std::size_t node)
    {
        check out{what.claim, node, clock::now(), {}, verdict::unknown, ""};
        try {
            auto answer = mine.of(node).get(what.path, what.credential);
            out.told = std::to_string(answer.status) + " " + answer.code();
            if (answer.status == 200)
                out.verdict = verdict::accepted;
            else if (answer.status == 401 || answer.status == 403)
                out.verdict = verdict::refused;
        } catch (const boost::system::system_error& e) {
            out.told = e.code().message();
        }
        out.end = clock::now();
        return out;
    }
};

/// One thing that goes wrong, until it is right again.
std::string disturb(nodes& all, std::mt19937_64& chance)
{
    auto which = std::uniform_int_distribution<std::size_t>(0, all.size() - 1)(chance);
    auto is_short = std::bernoulli_distribution(0.5)(chance); // beside a lease
    std::uniform_int_distribution<int> briefly(100, 1500), long_enough(2800, 4200);
    auto time = std::chrono::milliseconds(is_short ? briefly(chance) : long_enough(chance));
    auto name = std::to_string(which);
    switch (std::uniform_int_distribution<int>(0, 8)(chance)) {
    case 0:
    case 1:
    case 2:
        all.stop_for(which, time);
        return "node " + name + " stood still for " + std::to_string(time.count()) + " ms";
    case 3:
        all.kill(which);
        return "node " + name + " was killed";
    case 4:
    case 5:
        all.cut_lines();
        return "lines were cut";
    case 6:
    case 7:
        all.deafen_one_for(time);
        return "a node was deaf for " + std::to_string(time.count()) + " ms";
    default:
        all.restart_postgres();
        return "PostgreSQL was restarted";
    }
}

std::string describe(const violation& found, const std::vector<claim>& claims)
{
    auto& about = claims[found.check.claim];
    auto since = [](time_point from, time_point to) {
        return std::to_string(std::chrono::duration_cast<std::chrono::microseconds>(to - from).count()) +
               " us";
    };
    std::string out = found.kind == violation::kind_type::late ? "late success: " : "unjust refusal: ";
    out += about.what + " at node " + std::to_string(found.check.node) + " (" + found.check.told + ")";
    if (about.revoked)
        out += ", begun " + since(*about.revoked, found.check.begin) + " after its revocation";
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(revocations)

BOOST_AUTO_TEST_CASE(no_success_begins_after_its_revocation_has_returned)
{
    auto seed = setting("LATCHKEY_HISTORY_SEED", std::random_device()());
    auto lasts = std::chrono::seconds(setting("LATCHKEY_HISTORY_SECONDS", 20));
    std::mt19937_64 chance(seed);
    nodes all(3);
    recorder history;
    world of(all, history);
    while (of.people() < 12)
        BOOST_REQUIRE(of.add_person());

    // What a thread starts dies with it, so this one stays until the end.
    auto begun = clock::now(), last_fault = begun;
    std::vector<std::string> faults;
    std::promise<void> calm, over;
    std::jthread trouble([&, mine = std::mt19937_64(chance())](std::stop_token done) mutable {
        all.deafen_one_for(3500ms); // what the lease is for: in every history
        while (!done.stop_requested()) {
            std::this_thread::sleep_for(
                std::chrono::milliseconds(std::uniform_int_distribution<int>(200, 1500)(mine)));
            auto fault = disturb(all, mine);
            last_fault = clock::now();
            auto at = std::chrono::duration_cast<std::chrono::milliseconds>(last_fault - begun);
            faults.push_back("by " + std::to_string(at.count()) + " ms " + fault);
        }
        calm.set_value();
        over.get_future().wait();
    });
    struct releases {
        std::promise<void>& of;
        ~releases() { of.set_value(); }
    } at_the_end{over};
    {
        checker one(all, of, history, chance()), two(all, of, history, chance());
        auto is_enough = [&, most = 4 * lasts] {
            auto passed = clock::now() - begun;
            return passed > most || (passed > lasts && of.ended() >= fewest_revocations);
        };
        while (!is_enough()) {
            of.end_something(chance);
            while (of.people() < 12)
                of.add_person();
        }
        trouble.request_stop();
        calm.get_future().wait();
        std::this_thread::sleep_for(recovers_within / 2);
    }

    for (std::size_t node = 0; node < all.size(); ++node)
        BOOST_REQUIRE_MESSAGE(all.is_running(node),
                              "node " << node << " has ended: " << all.last_words(node));

    // When all is quiet every node knows what is true.
    clients mine(all, checks_wait);
    std::vector<check> last;
    for (auto& each : of.questions())
        for (std::size_t node = 0; node < all.size(); ++node)
            last.push_back(checker::ask(mine, each, node));
    auto claims = history.claims();
    for (auto& each : last) {
        auto& about = claims[each.claim];
        BOOST_TEST((each.verdict != verdict::unknown), about.what + ": " + each.told);
        if (!about.revoking)
            BOOST_TEST((each.verdict == verdict::accepted), about.what + ": " + each.told);
    }
    history.add(std::move(last));

    auto checks = history.checks();
    for (auto& found : judge(claims, checks))
        BOOST_ERROR(describe(found, claims) << " (seed " << seed << ")");
    for (std::size_t node = 0; node < all.size(); ++node) {
        auto silence = longest_silence(checks, node, last_fault, last_fault + recovers_within / 2);
        BOOST_TEST((silence < recovers_within / 2),
                   "node " << node << " is silent: " << all.last_words(node));
    }

    // It can only have failed if there was something to see.
    auto accepted = std::ranges::count(checks, verdict::accepted, &check::verdict);
    std::cout << "seed " << seed << ": " << of.ended() << " revocations, " << checks.size() << " checks, "
              << accepted << " accepted, " << faults.size() << " faults\n";
    for (auto& each : faults)
        std::cout << each << '\n';
    BOOST_TEST(of.ended() >= fewest_revocations);
    BOOST_TEST(accepted >= 1000);
    BOOST_TEST(faults.size() >= 3u);
}

BOOST_AUTO_TEST_SUITE_END()
