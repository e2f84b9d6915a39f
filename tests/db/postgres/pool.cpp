// Load balancing and failover between the pipelines of a pool.
#include "db/postgres/pool.hpp"

#include "tests/support/database.hpp"
#include "tests/support/io.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <set>

BOOST_AUTO_TEST_SUITE(pool)

using namespace std::chrono_literals;

namespace {

const db::statement backend{"pool_test_backend", "SELECT pg_backend_pid()"};
const db::statement nap{"pool_test_nap", "SELECT pg_backend_pid() FROM pg_sleep($1::float8)"};
const db::statement kill{"pool_test_kill", "SELECT pg_terminate_backend($1)"};

struct pool_fixture {
    support::database database;
    boost::asio::io_context io{1};
    bool lost = false;
    db::pool pool{io, settings(), 3};

    db::pipeline::config settings()
    {
        db::pipeline::config made;
        made.conninfo = database.conninfo();
        made.connect_timeout = made.queue_timeout = made.deadline = 20s; // not a test of speed
        made.on_event = [this](std::string_view event, std::string_view) {
            lost = lost || event == "connection lost";
        };
        return made;
    }

    pool_fixture()
    {
        support::run(io, [&] { return pool.ready(); });
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(batches_go_to_the_least_busy_pipeline, pool_fixture)
{
    std::multiset<int> backends;
    auto ask = [&]() -> db::awaitable<void> {
        auto answer = co_await pool.run(nap, 0.05);
        backends.insert(answer.scalar<int>());
    };
    for (int times = 0; times < 6; ++times)
        boost::asio::co_spawn(io, ask(), boost::asio::detached);
    auto until = std::chrono::steady_clock::now() + 10s;
    while (backends.size() < 6 && std::chrono::steady_clock::now() < until)
        io.run_one_for(100ms);
    BOOST_TEST(backends.size() == 6u);
    BOOST_TEST((std::set<int>(backends.begin(), backends.end()).size()) == 3u);
    for (int each : backends)
        BOOST_TEST(backends.count(each) == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_slow_statement_delays_only_its_own_pipeline, pool_fixture)
{
    bool slow_done = false;
    auto slow = [&]() -> db::awaitable<void> {
        co_await pool.run(nap, 3);
        slow_done = true;
    };
    boost::asio::co_spawn(io, slow(), boost::asio::detached);
    io.restart();
    io.run_for(20ms);
    for (int times = 0; times < 20; ++times)
        support::run(io, [&] { return pool.run(backend); });
    BOOST_TEST(!slow_done);
    support::run(io, [&] { return pool.close(); });
    BOOST_TEST(slow_done);
}

BOOST_FIXTURE_TEST_CASE(a_lost_connection_is_avoided, pool_fixture)
{
    auto victim = support::run(io, [&] { return pool.run(backend); }).scalar<int>();
    database.sql("SELECT pg_terminate_backend(" + std::to_string(victim) + ")");
    auto until = std::chrono::steady_clock::now() + 5s;
    while (!lost && std::chrono::steady_clock::now() < until)
        io.run_one_for(100ms);
    BOOST_TEST(lost);
    for (int times = 0; times < 10; ++times) {
        auto other = support::run(io, [&] { return pool.run(backend); }).scalar<int>();
        BOOST_TEST(other != victim);
    }
    BOOST_TEST(pool.connected());
}

BOOST_AUTO_TEST_SUITE_END()
