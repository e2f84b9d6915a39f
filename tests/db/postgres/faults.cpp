// PostgreSQL restarted, stopped, frozen, and its backends killed, with requests on their way.
#include "db/postgres/pipeline.hpp"
#include "tests/support/database.hpp"
#include "tests/support/io.hpp"
#include "tests/support/temporary_folder.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

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

struct troubled {
    support::postgres_cluster cluster;
    support::database database{cluster};
    boost::asio::io_context io{1};
    std::vector<std::string> events;
    db::pipeline pipeline{io, settings()};

    troubled()
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

    /// How long it takes until the pipeline says that it cannot.
    clock::duration time_to_failure(const std::string& text)
    {
        auto start = clock::now();
        BOOST_CHECK_EXCEPTION(ask(text), failure, [](const failure& why) { return why.unavailable(); });
        return clock::now() - start;
    }

    void wait_for_loss()
    {
        io.restart();
        auto until = clock::now() + 5s;
        while (pipeline.connected() && clock::now() < until)
            io.run_one_for(100ms);
        io.poll(); // whoever waited is resumed
    }

    /// Start a slow statement, and let it be sent.
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
        io.restart();
        io.run_for(50ms);
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_killed_backend_fails_what_was_sent_and_serves_what_was_not, troubled)
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

BOOST_FIXTURE_TEST_CASE(a_restart_is_survived, troubled)
{
    std::string sent;
    start_nap(3, sent);
    cluster.restart();
    wait_for_loss();
    BOOST_TEST(ask("after") == "after");
    BOOST_TEST(sent == "unavailable");
}

BOOST_FIXTURE_TEST_CASE(a_stopped_database_is_told_in_time_and_found_again, troubled)
{
    cluster.stop();
    BOOST_TEST((time_to_failure("first") < 2500ms));
    BOOST_TEST((time_to_failure("second") < 2500ms));
    BOOST_TEST(!pipeline.connected());
    try {
        ask("why");
    } catch (const failure& why) {
        BOOST_TEST(std::string(why.what()).starts_with("deadline: not connected: "));
    }

    cluster.start();
    auto start = clock::now();
    BOOST_TEST(ask("again") == "again");
    BOOST_TEST((clock::now() - start < 1500ms));
}

BOOST_FIXTURE_TEST_CASE(a_frozen_database_is_told_in_time_and_its_answers_are_not_mixed_up, troubled)
{
    cluster.freeze();
    BOOST_TEST((time_to_failure("frozen") < 5s));
    cluster.thaw();
    for (int times = 0; times < 20; ++times)
        BOOST_TEST(ask(std::to_string(times)) == std::to_string(times));
    BOOST_TEST(pipeline.generation() == 1u); // it was only late
}

BOOST_FIXTURE_TEST_CASE(a_connection_that_has_fallen_silent_is_replaced, troubled)
{
    auto impatient = settings();
    impatient.deadline = 300ms;
    impatient.connect_timeout = 500ms;
    impatient.queue_timeout = 500ms;
    db::pipeline other(io, impatient);
    support::run(io, [&] { return other.ready(); });
    cluster.freeze();
    BOOST_CHECK_THROW(support::run(io, [&] { return other.run(echo, "x"); }), failure);
    io.restart();
    io.run_for(1s);
    BOOST_TEST(!other.connected());
    BOOST_CHECK_THROW(support::run(io, [&] { return other.run(echo, "x"); }), failure);
    cluster.thaw();
    io.restart();
    io.run_for(2s);
    BOOST_TEST(support::run(io, [&] { return other.run(echo, "x"); }).scalar<std::string>() == "x");
    BOOST_TEST(other.generation() == 2u);
}

BOOST_FIXTURE_TEST_CASE(a_busy_line_holds_back_what_it_cannot_send, troubled)
{
    cluster.freeze();
    // More than every buffer on the way holds, so most of it stays unsent, to be given up, not sent later.
    std::string megabyte(1 << 20, 'm');
    int told = 0;
    auto ask_it = [&](int) -> db::awaitable<void> {
        try {
            co_await pipeline.run(echo, megabyte);
        } catch (const failure& why) {
            told += why.unavailable();
        }
    };
    for (int number = 0; number < 20; ++number)
        boost::asio::co_spawn(io, ask_it(number), boost::asio::detached);
    io.restart();
    io.run_for(3500ms);
    BOOST_TEST(told > 10);
    io.run_for(4s);
    BOOST_TEST(told == 20);
    cluster.thaw();
    BOOST_TEST(ask("after") == "after");
}

BOOST_FIXTURE_TEST_CASE(a_host_that_never_answers_does_not_hide_the_next, troubled)
{
    // A listening socket that nobody accepts from: connecting succeeds, and then nothing comes.
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
    BOOST_TEST((clock::now() - start < 1500ms));
    close(silent);
}

BOOST_FIXTURE_TEST_CASE(requests_go_on_through_many_interruptions, troubled)
{
    int right = 0, unavailable = 0, wrong = 0;
    bool stop = false;
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
        for (int times = 0; times < 10; ++times) {
            std::this_thread::sleep_for(150ms);
            database.sql(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'latchkey'");
        }
    });
    io.restart();
    io.run_for(2s);
    killer.join();
    stop = true;
    io.run_for(5s);
    BOOST_TEST(running == 0);
    BOOST_TEST(wrong == 0);
    BOOST_TEST(right > 100);
    BOOST_TEST(unavailable > 0);
    BOOST_TEST(pipeline.generation() > 5u);
}

BOOST_AUTO_TEST_SUITE_END()
