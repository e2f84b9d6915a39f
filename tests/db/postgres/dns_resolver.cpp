// Name resolution with a resolver that hangs, fails or changes its answers; no reactor ever waits for it.
#include "db/postgres/dns_resolver.hpp"

#include "db/postgres/pipeline.hpp"
#include "tests/support/database.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/io.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <stdexcept>
#include <thread>

using namespace std::chrono_literals;
using clock_type = std::chrono::steady_clock;

namespace {

const db::statement echo{"dns_resolver_test_echo", "SELECT $1::text"};

/// A resolver that answers 127.0.0.1, until it has to hang or to fail.
struct fake_resolver {
    struct state {
        std::atomic<int> calls{0};
        std::atomic<bool> hangs{false}, fails{false};
    };
    std::shared_ptr<state> shared = std::make_shared<state>();

    ~fake_resolver() { release(); }

    void release() const
    {
        shared->hangs = false;
        shared->hangs.notify_all();
    }

    db::dns_resolver make(std::size_t max_names = 8, bool keeps_last = true) const
    {
        db::dns_resolver::config settings;
        settings.max_names = max_names;
        settings.keeps_last = keeps_last;
        settings.resolve = [own = shared](const std::string&) {
            ++own->calls;
            own->hangs.wait(true);
            if (own->fails)
                throw std::runtime_error("no such name");
            return db::dns_resolver::addresses(1, boost::asio::ip::address_v4::loopback());
        };
        return db::dns_resolver(std::move(settings));
    }
};

struct resolver_fixture {
    boost::asio::io_context io{1};
    fake_resolver fake;

    std::vector<db::dns_resolver::answer> ask(const db::dns_resolver& names, std::vector<std::string> all,
                                              std::chrono::milliseconds limit)
    {
        return support::run(io, [&] { return names.resolve_all(all, limit); });
    }
};

/// The longest time between two turns of an event loop.
struct turn_meter {
    clock_type::duration longest{};
    bool stopped = false;

    db::awaitable<void> run(boost::asio::io_context& io)
    {
        db::steady_timer timer(io.get_executor());
        for (auto last = clock_type::now(); !stopped;) {
            timer.expires_after(1ms);
            co_await timer.async_wait(db::use_awaitable);
            auto now = clock_type::now();
            longest = std::max(longest, now - last);
            last = now;
        }
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(dns_resolver)

BOOST_FIXTURE_TEST_CASE(concurrent_lookups_of_a_name_share_one_call, resolver_fixture)
{
    auto names = fake.make();
    fake.shared->hangs = true;
    BOOST_TEST(ask(names, {"a.test"}, 20ms).front().error == "name resolution timed out");
    BOOST_TEST(ask(names, {"a.test"}, 20ms).front().error == "name resolution timed out");
    BOOST_TEST(fake.shared->calls == 1);
}

BOOST_FIXTURE_TEST_CASE(a_lookup_that_hangs_delays_only_its_first_caller, resolver_fixture)
{
    auto names = fake.make();
    BOOST_TEST(ask(names, {"a.test"}, 10s).front().found.size() == 1u);
    fake.shared->hangs = true;
    ask(names, {"a.test"}, 50ms);
    auto begin = clock_type::now();
    for (int i = 0; i < 10; ++i) {
        auto answer = ask(names, {"a.test"}, 50ms).front();
        BOOST_TEST(answer.found.size() == 1u); // the last good one
        BOOST_TEST(answer.error == "");
    }
    BOOST_TEST((clock_type::now() - begin < 250ms));
}

BOOST_FIXTURE_TEST_CASE(the_last_good_answer_is_kept_only_on_request, resolver_fixture)
{
    auto keeping = fake.make(), forgetting = fake.make(8, false);
    ask(keeping, {"a.test"}, 10s);
    ask(forgetting, {"a.test"}, 10s);
    fake.shared->fails = true;
    BOOST_TEST(ask(keeping, {"a.test"}, 10s).front().found.size() == 1u);
    auto answer = ask(forgetting, {"a.test"}, 10s).front();
    BOOST_TEST(answer.found.empty());
    BOOST_TEST(answer.error == "name resolution failed: no such name");
}

BOOST_FIXTURE_TEST_CASE(the_number_of_names_at_once_is_bounded, resolver_fixture)
{
    auto names = fake.make(2);
    fake.shared->hangs = true;
    auto answers = ask(names, {"a.test", "b.test", "c.test", "127.0.0.1"}, 20ms);
    BOOST_TEST(answers[0].error == "name resolution timed out");
    BOOST_TEST(answers[1].error == "name resolution timed out");
    BOOST_TEST(answers[2].error == "too many host names are being resolved");
    BOOST_TEST(answers[3].found.size() == 1u); // an address
}

BOOST_FIXTURE_TEST_CASE(a_caller_may_be_destroyed_before_its_answer, resolver_fixture)
{
    auto names = fake.make();
    fake.shared->hangs = true;
    {
        boost::asio::io_context short_lived(1);
        auto forever = names.resolve("a.test", clock_type::now() + 1h);
        boost::asio::co_spawn(short_lived, std::move(forever), boost::asio::detached);
        short_lived.run_for(20ms);
    }
    fake.release();
    BOOST_TEST(ask(names, {"a.test"}, 10s).front().found.size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_name_server_that_hangs_blocks_no_turn_of_the_reactor, resolver_fixture)
{
    support::database database;
    db::pipeline::config settings;
    settings.conninfo = database.conninfo();
    auto host = settings.conninfo.find("host=") + 5;
    settings.conninfo.insert(host, "db.test,"); // the socket is the second host
    settings.names = fake.make();
    fake.shared->hangs = true;

    turn_meter meter;
    boost::asio::co_spawn(io, meter.run(io), boost::asio::detached);
    db::pipeline pipeline(io, settings);
    auto answer = support::run(io, [&] { return pipeline.run(echo, std::string("found")); });
    meter.stopped = true;
    BOOST_TEST(answer.scalar<std::string>() == "found");
    BOOST_TEST(fake.shared->calls == 1);
    BOOST_TEST((meter.longest < 500ms)); // a blocking lookup would take as long as the test
}

BOOST_FIXTURE_TEST_CASE(a_pipeline_reconnects_to_the_last_known_address, resolver_fixture)
{
    using boost::asio::ip::tcp;
    tcp::acceptor server(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0));
    int accepted = 0;
    auto close_all = [&]() -> db::awaitable<void> {
        for (;;) {
            tcp::socket client(io);
            boost::system::error_code error;
            co_await server.async_accept(client, boost::asio::redirect_error(db::use_awaitable, error));
            ++accepted;
            fake.shared->hangs = true; // from now on
        }
    };
    boost::asio::co_spawn(io, close_all(), boost::asio::detached);
    db::pipeline::config settings;
    settings.conninfo = "host=db.test sslmode=disable port=" + std::to_string(server.local_endpoint().port());
    settings.names = fake.make();
    db::pipeline pipeline(io, settings);
    auto deadline = clock_type::now() + support::default_deadline;
    while (accepted < 3 && clock_type::now() < deadline)
        io.run_one_for(20ms);
    BOOST_TEST(accepted >= 3);
    BOOST_TEST(fake.shared->calls == 2);
}

// There is no socket yet to cancel the waits of.
BOOST_FIXTURE_TEST_CASE(a_pipeline_can_be_closed_while_it_resolves_a_name, resolver_fixture)
{
    using boost::asio::ip::tcp;
    tcp::acceptor silent(io, tcp::endpoint(boost::asio::ip::address_v4::loopback(), 0)); // it never answers
    db::dns_resolver::config names;
    std::atomic<int> calls{0};
    names.resolve = [&](const std::string&) {
        ++calls;
        std::this_thread::sleep_for(500ms);
        return db::dns_resolver::addresses(1, boost::asio::ip::address_v4::loopback());
    };
    db::pipeline::config settings;
    settings.conninfo = "host=db.test sslmode=disable port=" + std::to_string(silent.local_endpoint().port());
    settings.names = db::dns_resolver(std::move(names));
    db::pipeline pipeline(io, settings);
    auto begin = clock_type::now();
    while (calls == 0 && clock_type::now() - begin < support::default_deadline)
        io.run_one_for(1ms);
    BOOST_REQUIRE(calls == 1);
    support::run(io, [&] { return pipeline.close(); });
    BOOST_TEST((clock_type::now() - begin < 5s));
    BOOST_TEST(!pipeline.connected());
}

BOOST_AUTO_TEST_SUITE_END()
