// Rate quotas: the shares of a limit that nodes take.
#include "db/tables/rate_quotas.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <limits>
#include <map>
#include <string>
#include <vector>

namespace {

struct quotas : db::test::database_fixture {
    std::vector<db::rate_quotas::share> take(std::vector<db::rate_quotas::share_request> wanted, int nodes)
    {
        return run([&] { return db::rate_quotas::take(one.db, wanted, nodes); });
    }

    db::rate_quotas::share take_one(std::int64_t subject, std::int32_t limit, int nodes)
    {
        auto taken = take({{subject, limit, 60}}, nodes);
        BOOST_REQUIRE(taken.size() == 1u);
        BOOST_TEST(taken[0].subject == subject);
        return taken[0];
    }
};

db::awaitable<void> take_repeatedly(db::pool& db, std::vector<db::rate_quotas::share_request> wanted,
                                    std::int64_t& granted)
{
    for (int i = 0; i < 20; ++i) {
        auto shares = co_await db::rate_quotas::take(db, wanted, 10);
        for (auto& share : shares)
            granted += share.granted;
    }
}

} // namespace

BOOST_AUTO_TEST_SUITE(rate_quotas)

BOOST_FIXTURE_TEST_CASE(shares_become_smaller_and_add_up_to_the_limit, quotas)
{
    for (int limit : {1, 3, 10, 1000})
        for (int nodes : {1, 2, 3, 10}) {
            std::int64_t subject = limit * 100 + nodes;
            std::int32_t sum = 0, last = limit, shares = 0;
            for (;; ++shares) {
                auto share = take_one(subject, limit, nodes);
                if (share.granted == 0)
                    break;
                BOOST_TEST(share.granted <= last);
                last = share.granted;
                sum += share.granted;
            }
            BOOST_TEST(sum == limit);
            BOOST_TEST(shares <= 8 * nodes);
            BOOST_TEST(take_one(subject, limit, nodes).granted == 0);
        }
}

BOOST_FIXTURE_TEST_CASE(all_shares_are_of_one_window, quotas)
{
    BOOST_TEST(take_one(7, 10, 2).seconds_left == 60);
    data.sql("UPDATE rate_quotas SET ends_at = ends_at - interval '50.5 seconds'");
    auto later = take_one(7, 10, 2);
    BOOST_TEST(later.granted == 2);
    BOOST_TEST(later.seconds_left == 10);
    data.sql("UPDATE rate_quotas SET ends_at = now()");
    auto next = take_one(7, 10, 2);
    BOOST_TEST(next.granted == 5);
    BOOST_TEST(next.seconds_left == 60);
}

BOOST_FIXTURE_TEST_CASE(a_lower_limit_leaves_nothing, quotas)
{
    BOOST_TEST(take_one(7, 10, 2).granted == 5);
    BOOST_TEST(take_one(7, 3, 2).granted == 0);
    BOOST_TEST(take_one(7, 10, 2).granted == 2);
}

BOOST_FIXTURE_TEST_CASE(one_statement_takes_shares_of_many_subjects, quotas)
{
    auto smallest = std::numeric_limits<std::int64_t>::min();
    std::map<std::int64_t, std::int32_t> granted;
    for (auto& share : take({{smallest, 10, 60}, {-1, 20, 3600}, {0, 1, 60}, {5, 1'000'000, 86400}}, 2))
        granted[share.subject] = share.granted;
    BOOST_TEST(
        (granted == std::map<std::int64_t, std::int32_t>{{smallest, 5}, {-1, 10}, {0, 1}, {5, 500'000}}));
    BOOST_TEST(take({}, 2).empty());
}

/// Nodes that take shares of the same subjects in different orders wait for each other, and do not deadlock.
BOOST_FIXTURE_TEST_CASE(concurrent_nodes_do_not_deadlock, quotas)
{
    std::vector<db::rate_quotas::share_request> up, down;
    for (std::int64_t subject = 0; subject < 200; ++subject)
        up.push_back({subject, 100'000, 60});
    down.assign(up.rbegin(), up.rend());
    std::int64_t granted_up = 0, granted_down = 0;
    bool is_done = false;
    boost::asio::co_spawn(one.io, take_repeatedly(one.db, up, granted_up),
                          [&](std::exception_ptr failed) { is_done = !failed; });
    run([&] { return take_repeatedly(one.db, down, granted_down); });
    while (!is_done)
        one.io.run_one();
    BOOST_TEST(data.sql("SELECT sum(taken) FROM rate_quotas") == std::to_string(granted_up + granted_down));
}

BOOST_AUTO_TEST_SUITE_END()
