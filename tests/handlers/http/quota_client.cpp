#include "handlers/http/quota_client.hpp"

#include "handlers/access/rate_limits.hpp"
#include "handlers/http/request_limits.hpp"
#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <chrono>
#include <span>

using namespace handlers;

namespace {

struct without_database : handlers::test::handler_fixture {
    without_database()
    {
        limiter.share_among(3);
        cx.quotas = &quotas;
    }

    /// The number of requests of a subject that are admitted of many.
    unsigned passed_of(unsigned tries, const rate_rule& rule)
    {
        unsigned passed = 0;
        auto c = as_anonymous();
        for (unsigned i = 0; i < tries; ++i) {
            auto over = support::run(io, [&] { return count_request(c, rule, subject); });
            passed += !over;
        }
        return passed;
    }

    static constexpr std::uint8_t subject[] = {1, 2, 3};
    quota_client quotas{io, db, limiter};
};

} // namespace

BOOST_AUTO_TEST_SUITE(quota_client)

/// Without the database the limits of a node hold, or its part of those on guesses, and requests do not wait
/// for it again and again.
BOOST_FIXTURE_TEST_CASE(without_an_answer_a_node_has_its_limits, without_database)
{
    auto start = std::chrono::steady_clock::now();
    for (auto& rule : rate_limits::all) {
        auto expected = rule.limits_guesses ? std::max(rule.limit / 3, 1u) : rule.limit;
        BOOST_TEST(passed_of(rule.limit + 10, rule) == expected, rule.name);
    }
    BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(30)));
}

/// The database answers, and then stalls.
BOOST_FIXTURE_TEST_CASE(a_stall_after_shares_were_used_forgets_no_guess, without_database)
{
    for (auto& rule : {rate_limits::login_account, rate_limits::login_device, rate_limits::login_total}) {
        auto first = limiter.count(rule, subject);
        limiter.grant(first.share, rule.limit - rule.limit / 5, std::chrono::seconds(40));
        auto passed = first.verdict == rate_limiter::verdict::admitted ? 1u : 0u;
        passed += passed_of(3 * rule.limit, rule);
        BOOST_TEST(passed <= rule.limit, rule.name);
        BOOST_TEST(passed >= rule.limit / 2, rule.name);
        BOOST_TEST(passed_of(rule.limit, rule) == 0u, rule.name);
    }
}

BOOST_AUTO_TEST_SUITE_END()
