// Fault injection: PostgreSQL restarted, stopped, frozen, and its backends killed, with requests in flight.
#include "db/postgres/pipeline.hpp"
#include "tests/support/database.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/io.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

BOOST_AUTO_TEST_SUITE(faults)

using db::failure;
using namespace std::chrono_literals;
using clock = std::chrono::steady_clock;

namespace {

const db::statement echo{"faults_test_echo", "SELECT $1::text"};
const db::statement nap{"faults_test_nap", "SELECT 1 FROM pg_sleep($1::float8)"};
const db::statement backend{"faults_test_backend", "SELECT pg_backend_pid()"};

struct fault_fixture {
    support::postgres_cluster cluster;
    support::database database{cluster};
    boost::asio::io_context io{1};
    std::vector<std::string> events;
    db::pipeline pipeline{io, settings()};

    fault_fixture()
    {
        support::run(io, [this] { return pipeline.ready(); });
    }

    db::pipeline::config settings()
    {
        db::pipeline::config made;
        made.conninfo = database.conninfo();
        made.on_event = [this](std::string_view event, std::string_view) { events.emplace_back(event); };
        return made;
    }

    std::string ask(const std::string& text)
    {
        return support::run(io, [&] { return pipeline.run(echo, text); }).scalar<std::string>();
    }

    /// The time until the pipeline reports a failure.
    clock::duration time_to_failure(const std::string& text)
    {
        auto start = clock::now();
        BOOST_CHECK_EXCEPTION(ask(text), failure, [](const failure& why) { return why.unavailable(); });
        return clock::now() - start;
    }

    void wait_for_loss()
    {
        io.restart();
        await([this] { return !pipeline.connected(); });
        io.poll(); // resume the waiting coroutines
    }

    /// Run the event loop until a condition holds, a minute at most.
    template <class Condition>
    void await(Condition holds)
    {
        io.restart();
        auto deadline = clock::now() + support::default_deadline;
        while (!holds() && clock::now() < deadline)
            io.run_one_for(20ms);
    }

    /// Start a slow statement, and wait until it is sent.
    void start_nap(double seconds, std::string& outcome)
    {
        auto asleep = [](db::pipeline& on, double length, std::string& out) -> db::awaitable<void> {
            try {
                co_await on.run(nap, std::to_string(length));
                out = "slept";
            } catch (const failure& why) {
                out = why.unavailable() ? "unavailable" : "refused";
            }
        };
        boost::asio::co_spawn(io, asleep(pipeline, seconds, outcome), boost::asio::detached);
        auto naps =
            "SELECT count(*) FROM pg_stat_activity WHERE state = 'active' AND query LIKE '%pg_sleep%' AND "
            "pid <> pg_backend_pid()";
        await([&] { return database.sql(naps) != "0"; });
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_killed_backend_fails_sent_batches_and_serves_unsent_ones, fault_fixture)
{
    auto pid = support::run(io, [&] { return pipeline.run(backend); }).scalar<int>();
    std::string sent;
    start_nap(3, sent);
    database.sql("SELECT pg_terminate_backend(" + std::to_string(pid) + ")");
    wait_for_loss();
    BOOST_TEST(sent == "unavailable");
    BOOST_TEST(ask("after") == "after");
    BOOST_TEST(pipeline.generation() == 2u);
    BOOST_TEST(events == (std::vector<std::string>{"connected", "connection lost", "connected"}),
               boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(the_pipeline_survives_a_restart, fault_fixture)
{
    std::string sent;
    start_nap(3, sent);
    cluster.restart();
    wait_for_loss();
    BOOST_TEST(ask("after") == "after");
    BOOST_TEST(sent == "unavailable");
}

BOOST_FIXTURE_TEST_CASE(a_stopped_database_is_reported_in_time_and_reconnected, fault_fixture)
{
    cluster.stop();
    BOOST_TEST((time_to_failure("first") < 10s));
    BOOST_TEST((time_to_failure("second") < 10s));
    BOOST_TEST(!pipeline.connected());
    try {
        ask("why");
    } catch (const failure& why) {
        BOOST_TEST(std::string(why.what()).starts_with("deadline: not connected: "));
    }

    cluster.start();
    auto start = clock::now();
    BOOST_TEST(ask("again") == "again");
    BOOST_TEST((clock::now() - start < 10s));
}

BOOST_FIXTURE_TEST_CASE(a_frozen_database_is_reported_in_time_and_late_answers_are_discarded, fault_fixture)
{
    cluster.freeze();
    BOOST_TEST((time_to_failure("frozen") < 10s));
    cluster.thaw();
    for (int times = 0; times < 20; ++times)
        BOOST_TEST(ask(std::to_string(times)) == std::to_string(times));
    BOOST_TEST(pipeline.generation() == 1u); // the connection was kept
}

BOOST_FIXTURE_TEST_CASE(an_unresponsive_connection_is_replaced, fault_fixture)
{
    auto impatient = settings();
    impatient.deadline = 300ms;
    impatient.connect_timeout = 500ms;
    impatient.queue_timeout = 500ms;
    db::pipeline other(io, impatient);
    support::run(io, [&] { return other.ready(); });
    cluster.freeze();
    BOOST_CHECK_THROW(support::run(io, [&] { return other.run(echo, "x"); }), failure);
    await([&] { return !other.connected(); });
    BOOST_TEST(!other.connected());
    BOOST_CHECK_THROW(support::run(io, [&] { return other.run(echo, "x"); }), failure);
    cluster.thaw();
    await([&] { return other.connected(); });
    BOOST_TEST(support::run(io, [&] { return other.run(echo, "x"); }).scalar<std::string>() == "x");
    BOOST_TEST(other.generation() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_full_socket_keeps_batches_unsent, fault_fixture)
{
    cluster.freeze();
    // More than all socket buffers hold, so that most batches stay unsent and expire.
    std::string megabyte(1 << 20, 'm');
    int expired = 0;
    auto ask_it = [&](int) -> db::awaitable<void> {
        try {
            co_await pipeline.run(echo, megabyte);
        } catch (const failure& why) {
            expired += why.unavailable();
        }
    };
    for (int number = 0; number < 20; ++number)
        boost::asio::co_spawn(io, ask_it(number), boost::asio::detached);
    await([&] { return expired > 10; });
    BOOST_TEST(expired > 10);
    await([&] { return expired == 20; });
    BOOST_TEST(expired == 20);
    cluster.thaw();
    BOOST_TEST(ask("after") == "after");
}

BOOST_FIXTURE_TEST_CASE(an_unresponsive_host_does_not_block_the_next, fault_fixture)
{
    // A listening socket without accept(): connecting succeeds, and no data arrives.
    support::temporary_folder folder;
    sockaddr_un address{};
    address.sun_family = AF_UNIX;
    auto path = folder.path() + "/.s.PGSQL.5432";
    path.copy(address.sun_path, sizeof address.sun_path - 1);
    int silent = socket(AF_UNIX, SOCK_STREAM, 0);
    BOOST_REQUIRE(bind(silent, reinterpret_cast<sockaddr*>(&address), sizeof address) == 0);
    BOOST_REQUIRE(listen(silent, 8) == 0);

    auto url = database.conninfo();
    auto host = url.find("host=") + 5;
    auto both = settings();
    both.conninfo = url.insert(host, folder.path() + ",");
    both.connect_timeout = 500ms;
    db::pipeline other(io, both);
    auto start = clock::now();
    BOOST_TEST(support::run(io, [&] { return other.run(echo, "found"); }).scalar<std::string>() == "found");
    BOOST_TEST((clock::now() - start < 10s));
    close(silent);
}

BOOST_FIXTURE_TEST_CASE(requests_succeed_through_many_interruptions, fault_fixture)
{
    int right = 0, unavailable = 0, wrong = 0;
    bool stop = false;
    std::atomic<bool> has_killed{false};
    int running = 20;
    auto client = [&](int number) -> db::awaitable<void> {
        int times = 0;
        while (!stop) {
            auto text = std::to_string(number) + "/" + std::to_string(++times);
            try {
                auto answer = co_await pipeline.run(echo, text);
                ++(answer.scalar<std::string>() == text ? right : wrong);
            } catch (const failure& why) {
                ++(why.unavailable() ? unavailable : wrong);
            }
        }
        --running;
    };
    for (int number = 0; number < 20; ++number)
        boost::asio::co_spawn(io, client(number), boost::asio::detached);
    std::thread killer([&] {
        // A terminated backend remains visible until it has exited: count it once.
        const std::string kill = "WITH victims AS MATERIALIZED (SELECT pid FROM pg_stat_activity WHERE "
                                 "application_name = 'latchkey' AND state IS NOT NULL) "
                                 "SELECT coalesce(string_agg(pid::text, ','), '') FROM victims WHERE "
                                 "pg_terminate_backend(pid)";
        for (int times = 0; times < 10; ++times) {
            std::this_thread::sleep_for(150ms);
            std::string killed;
            if (!support::eventually([&] { return !(killed = database.sql(kill)).empty(); }))
                break;
            auto remaining = "SELECT count(*) FROM pg_stat_activity WHERE pid IN (" + killed + ")";
            support::eventually([&] { return database.sql(remaining) == "0"; });
        }
        has_killed = true;
    });
    await([&] { return has_killed.load(); });
    killer.join();
    await([&] { return right > 100; });
    stop = true;
    await([&] { return running == 0; });
    BOOST_TEST(running == 0);
    BOOST_TEST(wrong == 0);
    BOOST_TEST(right > 100);
    BOOST_TEST(unavailable > 0);
    BOOST_TEST(pipeline.generation() > 5u);
}

// Sweeps at the usual interval would be thirty.
BOOST_FIXTURE_TEST_CASE(an_idle_pipeline_wakes_its_thread_once_a_second, fault_fixture)
{
    io.restart();
    io.run_for(1s); // the sweep that finds it idle
    io.restart();
    auto handlers = io.run_for(3s);
    BOOST_TEST(handlers <= 8u);
    BOOST_TEST(ask("still there") == "still there");
}

BOOST_FIXTURE_TEST_CASE(the_deadlines_of_a_pipeline_that_was_idle_are_enforced, fault_fixture)
{
    io.restart();
    io.run_for(1s); // now it sweeps rarely
    cluster.freeze();
    auto limit = settings().deadline;
    auto failed_after = time_to_failure("frozen");
    cluster.thaw();
    BOOST_TEST((failed_after >= limit));
    BOOST_TEST((failed_after < limit + 2s));
}

BOOST_AUTO_TEST_SUITE_END()
