#include "handlers/http/quota_client.hpp"

#include "handlers/access/rate_limits.hpp"
#include "handlers/http/request_limits.hpp"
#include "tests/handlers/handler_fixture.hpp"

#include <boost/test/unit_test.hpp>

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
        const std::uint8_t subject[] = {1, 2, 3};
        for (unsigned i = 0; i < tries; ++i) {
            auto over = support::run(io, [&] { return count_request(c, rule, subject); });
            passed += !over;
        }
        return passed;
    }

    quota_client quotas{io, db, limiter};
};

} // namespace

BOOST_AUTO_TEST_SUITE(quota_client)

/// Without the database the limits of a node hold, and requests do not wait for it again and again.
BOOST_FIXTURE_TEST_CASE(without_an_answer_a_node_has_the_whole_limit, without_database)
{
    auto start = std::chrono::steady_clock::now();
    for (auto& rule : rate_limits::all)
        BOOST_TEST(passed_of(rule.limit + 10, rule) == rule.limit, rule.name);
    BOOST_TEST((std::chrono::steady_clock::now() - start < std::chrono::seconds(10)));
}

BOOST_AUTO_TEST_SUITE_END()
