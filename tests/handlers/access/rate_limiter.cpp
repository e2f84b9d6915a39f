#include "handlers/access/rate_limiter.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <span>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

using handlers::rate_rule;
using namespace std::chrono_literals;

namespace {

struct limited {
    handlers::rate_limiter limiter{1024};
    rate_rule rule{"login", 3, 60s};
    handlers::rate_limiter::clock::time_point start = handlers::rate_limiter::clock::now();

    static std::span<const std::uint8_t> bytes(std::string_view text)
    {
        return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    }

    /// Whether a request is admitted at a time since the start.
    bool passes(std::string_view subject, std::chrono::seconds later = 0s)
    {
        return !limiter.count(rule, bytes(subject), start + later);
    }

    unsigned passed_of(unsigned tries, std::string_view subject, std::chrono::seconds later = 0s)
    {
        unsigned passed = 0;
        for (unsigned i = 0; i < tries; ++i)
            passed += passes(subject, later);
        return passed;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(rate_limiter)

BOOST_FIXTURE_TEST_CASE(a_window_admits_its_limit, limited)
{
    BOOST_TEST(passed_of(10, "ada") == 3u);
    BOOST_TEST(passed_of(10, "ada", 59s) == 0u);
    BOOST_TEST(passed_of(10, "ada", 60s) == 3u);
    BOOST_TEST(passed_of(10, "ada", 61s) == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_window_starts_with_its_first_request, limited)
{
    BOOST_TEST(passes("ada", 50s));
    BOOST_TEST(passed_of(10, "ada", 100s) == 2u);
    BOOST_TEST(passed_of(10, "ada", 109s) == 0u);
    BOOST_TEST(passed_of(10, "ada", 110s) == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_rejection_has_the_time_to_the_next_window, limited)
{
    passed_of(3, "ada");
    auto refused = limiter.count(rule, bytes("ada"), start + 20s);
    BOOST_TEST_REQUIRE(refused.has_value());
    BOOST_TEST(refused->retry_after.count() == 40);
    BOOST_TEST(refused->rule.name == "login");
    BOOST_TEST(refused->rule.limit == 3u);
    auto last = limiter.count(rule, bytes("ada"), start + 59s);
    BOOST_TEST_REQUIRE(last.has_value());
    BOOST_TEST(last->retry_after.count() == 1); // never zero
}

BOOST_FIXTURE_TEST_CASE(subjects_and_rules_count_separately, limited)
{
    BOOST_TEST(passed_of(5, "ada") == 3u);
    for (auto other : {"", "a", "ad", "adb", "ada ", "ada@example.com", "Ada"})
        BOOST_TEST(passed_of(5, other) == 3u, other);
    rule.name = "signup";
    BOOST_TEST(passed_of(5, "ada") == 3u);
    rule.name = "log";
    BOOST_TEST(passed_of(5, "inada") == 3u); // the name ends where the subject begins
}

BOOST_FIXTURE_TEST_CASE(refunded_counts_are_free_again, limited)
{
    passed_of(3, "ada");
    limiter.refund(rule, bytes("ada"));
    BOOST_TEST(passed_of(5, "ada") == 1u);
    for (int i = 0; i < 10; ++i)
        limiter.refund(rule, bytes("ada"));
    BOOST_TEST(passed_of(10, "ada") == 3u); // unused requests do not accumulate
    limiter.refund(rule, bytes("never seen"));
    BOOST_TEST(passed_of(5, "never seen") == 3u);
}

BOOST_FIXTURE_TEST_CASE(counts_of_a_later_window_are_not_refunded, limited)
{
    auto counted = handlers::rate_limiter::clock::now();
    auto later = counted + 2 * rule.window;
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(!limiter.count(rule, bytes("ada"), later));
    limiter.refund(rule, bytes("ada"), counted);
    BOOST_TEST(limiter.count(rule, bytes("ada"), later).has_value());
    limiter.refund(rule, bytes("ada"), later);
    BOOST_TEST(!limiter.count(rule, bytes("ada"), later));
}

BOOST_FIXTURE_TEST_CASE(nodes_share_a_limit_and_admit_at_least_one_each, limited)
{
    rule.limit = 10;
    limiter.share_among(3);
    BOOST_TEST(passed_of(20, "ada") == 3u);
    BOOST_TEST(limiter.is_over(rule, bytes("ada"), start).has_value());
    limiter.share_among(20);
    BOOST_TEST(passed_of(20, "bob") == 1u);
    limiter.share_among(0); // a single node again
    BOOST_TEST(passed_of(20, "ada") == 7u);
}

BOOST_FIXTURE_TEST_CASE(is_over_counts_nothing, limited)
{
    auto now = handlers::rate_limiter::clock::now();
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(!limiter.is_over(rule, bytes("ada"), now));
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(!limiter.count(rule, bytes("ada"), now));
    BOOST_TEST(limiter.is_over(rule, bytes("ada"), now).has_value());
    BOOST_TEST(!limiter.is_over(rule, bytes("ada"), now + rule.window + std::chrono::seconds(1)));
}

BOOST_FIXTURE_TEST_CASE(counts_of_many_threads_add_up, limited)
{
    rule.limit = 5000;
    std::atomic<unsigned> passed{0};
    std::vector<std::thread> cores;
    for (int i = 0; i < 4; ++i)
        cores.emplace_back([&] { passed += passed_of(5000, "ada"); });
    for (auto& core : cores)
        core.join();
    BOOST_TEST(passed == 5000u);
}

BOOST_FIXTURE_TEST_CASE(concurrent_first_requests_share_a_slot, limited)
{
    for (int round = 0; round < 200; ++round) {
        auto name = "p" + std::to_string(round);
        std::atomic<unsigned> passed{0};
        std::atomic<bool> go{false};
        std::vector<std::thread> cores;
        for (int i = 0; i < 4; ++i)
            cores.emplace_back([&] {
                while (!go)
                    std::this_thread::yield();
                passed += passes(name);
            });
        go = true;
        for (auto& core : cores)
            core.join();
        BOOST_TEST(passed == 3u);
    }
}

BOOST_FIXTURE_TEST_CASE(concurrent_refunds_add_up, limited)
{
    rule.limit = 1'000'000;
    std::vector<std::thread> cores;
    for (int i = 0; i < 4; ++i)
        cores.emplace_back([&] {
            for (int n = 0; n < 2000; ++n) {
                passes("ada");
                limiter.refund(rule, bytes("ada"));
            }
        });
    for (auto& core : cores)
        core.join();
    rule.limit = 3;
    BOOST_TEST(passed_of(5, "ada") == 3u);
}

BOOST_AUTO_TEST_CASE(a_full_set_evicts_the_window_that_ends_first)
{
    limited crowded;
    handlers::rate_limiter small(1); // one set of eight
    auto pass = [&](std::string_view subject, std::chrono::seconds later) {
        return !small.count(crowded.rule, limited::bytes(subject), crowded.start + later);
    };
    for (int i = 0; i < 8; ++i)
        for (int n = 0; n < 3; ++n)
            BOOST_TEST(pass("p" + std::to_string(i), std::chrono::seconds(i)));
    BOOST_TEST(pass("one more", 8s));
    for (int i = 1; i < 8; ++i)
        BOOST_TEST(!pass("p" + std::to_string(i), 9s), i);
    BOOST_TEST(pass("p0", 9s)); // counted from zero again, in the slot of p1
    BOOST_TEST(!pass("p2", 9s));
    BOOST_TEST(pass("p1", 9s));
}

BOOST_AUTO_TEST_SUITE_END()
