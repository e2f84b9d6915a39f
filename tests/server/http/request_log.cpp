#include "server/http/request_log.hpp"

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;

BOOST_AUTO_TEST_SUITE(request_log)

BOOST_AUTO_TEST_CASE(the_first_refusals_of_a_second_are_logged_and_the_others_counted)
{
    server::request_log log;
    auto now = server::request_log::clock::now();
    auto logged = [&](int tries, std::string_view route, unsigned status) {
        std::uint64_t out = 0;
        for (int i = 0; i < tries; ++i)
            out += log.admits_refusal(route, status, now);
        return out;
    };
    constexpr auto limit = server::request_log::refusals_per_second;
    BOOST_TEST(logged(100, "", 404) == limit);
    BOOST_TEST(logged(5, "", 401) == 5u); // each status and route by itself
    BOOST_TEST(logged(100, "/a", 404) == limit);
    BOOST_TEST(log.report_omitted(now + 900ms) == 0u); // the second has not ended

    now += 1100ms;
    BOOST_TEST(logged(3, "", 404) == 0u); // not before the count of the last second
    BOOST_TEST(log.report_omitted(now) == (100 - limit) + 3 + (100 - limit));
    BOOST_TEST(log.report_omitted(now) == 0u);
    BOOST_TEST(logged(100, "", 404) == limit);
    BOOST_TEST(logged(100, "", 401) == limit);

    now += 5s;
    BOOST_TEST(log.report_omitted(now) == 2 * (100 - limit));
}

BOOST_AUTO_TEST_CASE(a_slow_stream_of_refusals_is_logged_completely)
{
    server::request_log log;
    auto now = server::request_log::clock::now();
    for (int i = 0; i < 100; ++i) {
        BOOST_TEST(log.admits_refusal("/a", 404, now));
        now += 101ms;
    }
    BOOST_TEST(log.report_omitted(now) == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
