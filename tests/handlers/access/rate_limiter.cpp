#include "handlers/access/rate_limiter.hpp"

#include "handlers/access/rate_limits.hpp"

#include <boost/test/unit_test.hpp>

#include <chrono>
#include <set>
#include <span>
#include <string>
#include <string_view>

using handlers::rate_rule;
using namespace std::chrono_literals;
namespace rate_limits = handlers::rate_limits;

namespace {

struct limited {
    handlers::rate_limiter limiter{64};
    rate_rule rule{"login", handlers::rate_table::addresses, 3};
    handlers::rate_limiter::clock::time_point start = handlers::rate_limiter::clock::now();

    static std::span<const std::uint8_t> bytes(std::string_view text)
    {
        return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
    }

    /// Whether a request is admitted at a time since the start.
    bool passes(std::string_view subject, std::chrono::seconds later = 0s)
    {
        return !limiter.count(rule, bytes(subject), nullptr, start + later);
    }

    unsigned passed_of(unsigned tries, std::string_view subject, std::chrono::seconds later = 0s)
    {
        unsigned passed = 0;
        for (unsigned i = 0; i < tries; ++i)
            passed += passes(subject, later);
        return passed;
    }

    /// Count new subjects of every rule until each table is full several times over.
    void flood()
    {
        for (auto& each : rate_limits::all)
            for (int i = 0; i < 200; ++i)
                (void)limiter.count(each, bytes("flood" + std::to_string(++flooded)), nullptr, start);
    }

    unsigned flooded = 0;
};

} // namespace

BOOST_AUTO_TEST_SUITE(rate_limiter)

BOOST_FIXTURE_TEST_CASE(a_rejection_names_the_rule_and_the_time_to_the_next_window, limited)
{
    BOOST_TEST(passed_of(5, "ada") == 3u);
    auto refused = limiter.count(rule, bytes("ada"), nullptr, start + 20s);
    BOOST_TEST_REQUIRE(refused.has_value());
    BOOST_TEST(refused->retry_after.count() == 40);
    BOOST_TEST(refused->rule.name == "login");
    BOOST_TEST(refused->rule.limit == 3u);
    BOOST_TEST(refused->rule.window().count() == 60);
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

BOOST_FIXTURE_TEST_CASE(a_receipt_takes_a_count_back, limited)
{
    handlers::rate_limiter::receipt counted;
    for (int i = 0; i < 10; ++i) {
        BOOST_TEST(!limiter.count(rule, bytes("ada"), &counted, start));
        limiter.refund(counted);
    }
    BOOST_TEST(passed_of(10, "ada") == 3u);
    counted = {};
    BOOST_TEST(limiter.count(rule, bytes("ada"), &counted, start).has_value());
    limiter.refund(counted); // rejected: nothing to take back
    BOOST_TEST(!passes("ada"));
}

BOOST_FIXTURE_TEST_CASE(nodes_share_a_limit_and_admit_at_least_one_each, limited)
{
    rule.limit = 10;
    limiter.share_among(3);
    BOOST_TEST(passed_of(20, "ada") == 3u);
    limiter.share_among(20);
    BOOST_TEST(passed_of(20, "bob") == 1u);
    limiter.share_among(0); // a single node again
    BOOST_TEST(passed_of(20, "ada") == 7u);
}

BOOST_AUTO_TEST_CASE(rules_have_names_of_their_own)
{
    std::set<std::string_view> names;
    for (auto& each : rate_limits::all)
        BOOST_TEST(names.insert(each.name).second, each.name);
}

/// For every rule: a subject at its limit stays there, however many others fill its own and all other tables.
BOOST_FIXTURE_TEST_CASE(no_flood_of_other_subjects_makes_a_rule_forget, limited)
{
    for (auto& each : rate_limits::all) {
        limited crowded;
        crowded.rule = each;
        crowded.flood();
        unsigned passed = 0;
        for (std::uint32_t attempt = 0; attempt < each.limit + 20; ++attempt) {
            passed += crowded.passes("ada");
            if (attempt % (each.limit / 10 + 1) == 0)
                crowded.flood();
        }
        BOOST_TEST(passed <= each.limit, each.name);
        BOOST_TEST(crowded.limiter.overflows(each.table) > 0u, each.name);
    }
}

/// For every rule: subjects of other tables do not even crowd it.
BOOST_FIXTURE_TEST_CASE(other_tables_do_not_crowd_a_rule, limited)
{
    for (auto& each : rate_limits::all) {
        limited crowded;
        for (auto& other : rate_limits::all)
            for (int i = 0; other.table != each.table && i < 1000; ++i)
                (void)crowded.limiter.count(other, bytes(std::to_string(i)), nullptr, crowded.start);
        crowded.rule = each;
        BOOST_TEST(crowded.passed_of(each.limit + 20, "ada") == each.limit, each.name);
        BOOST_TEST(crowded.limiter.overflows(each.table) == 0u, each.name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
