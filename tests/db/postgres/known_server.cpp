// Only a writable primary on the newest timeline is used, with a real standby.
#include "db/postgres/known_server.hpp"

#include "db/postgres/error.hpp"
#include "db/postgres/pipeline.hpp"
#include "db/postgres/primary_watch.hpp"
#include "tests/db/database_fixture.hpp"
#include "tests/support/eventually.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <chrono>
#include <memory>
#include <string>

using namespace std::chrono_literals;

namespace {

const db::statement current_host{"test_current_host", "SELECT current_setting('unix_socket_directories')"};
const db::statement write_something{"test_write_something", "DELETE FROM oauth_codes"};

/// A primary with a database, its standby, and an event loop.
struct standby_fixture {
    standby_fixture() : standby(support::postgres_cluster::standby_of(primary))
    {
        auto url = database.conninfo();
        auto begin = url.find(":///") + 4;
        name = url.substr(begin, url.find('?') - begin);
    }

    /// A connection string with hosts in this order.
    std::string conninfo(const std::string& hosts) const
    {
        return "host=" + hosts + " port=5432 user=latchkey dbname=" + name + " target_session_attrs=any";
    }

    std::unique_ptr<db::pipeline> connect(const std::string& conninfo)
    {
        db::pipeline::config settings;
        settings.conninfo = conninfo;
        settings.queue_timeout = 30s;
        return std::make_unique<db::pipeline>(io, settings);
    }

    std::string host_of(db::pipeline& on)
    {
        return support::run(io, [&] { return on.run(current_host); }).scalar<std::string>();
    }

    void wait_for_standby() const
    {
        BOOST_REQUIRE(support::eventually([&] {
            return support::sql(primary.conninfo(),
                                "SELECT count(*) FROM pg_stat_replication WHERE replay_lsn = "
                                "pg_current_wal_lsn()") == "1";
        }));
    }

    support::postgres_cluster primary;
    support::database database{primary};
    std::unique_ptr<support::postgres_cluster> standby;
    std::string name;
    boost::asio::io_context io{1};
};

} // namespace

BOOST_AUTO_TEST_SUITE(known_server)

BOOST_AUTO_TEST_CASE(a_newer_timeline_and_another_cluster_replace_the_server)
{
    auto known = db::known_server::of("known_server test");
    auto first = known->accept({7, 1});
    BOOST_REQUIRE(first.has_value());
    BOOST_TEST((known->accept({7, 1}) == first));
    auto promoted = known->accept({7, 2});
    BOOST_REQUIRE(promoted.has_value());
    BOOST_TEST(!known->is_current(*first));
    BOOST_TEST(known->is_current(*promoted));
    BOOST_TEST(!known->accept({7, 1}).has_value()); // an earlier primary
    BOOST_TEST(known->is_current(*promoted));
    auto other = known->accept({8, 1});
    BOOST_REQUIRE(other.has_value());
    BOOST_TEST(!known->is_current(*promoted));
    BOOST_TEST((db::known_server::of("known_server test") == known));
    BOOST_TEST((db::known_server::of("known_server test 2") != known));
}

BOOST_FIXTURE_TEST_CASE(a_standby_is_never_used, standby_fixture)
{
    wait_for_standby();
    for (auto& hosts : {standby->host() + "," + primary.host(), primary.host() + "," + standby->host()}) {
        auto pipeline = connect(conninfo(hosts));
        BOOST_TEST(host_of(*pipeline) == primary.host());
        io.restart();
    }
    auto alone = connect(conninfo(standby->host()));
    BOOST_TEST(!support::eventually(2s, [&] {
        io.restart();
        io.run_for(50ms);
        return alone->connected();
    }));
}

BOOST_FIXTURE_TEST_CASE(a_promoted_standby_replaces_the_primary_and_the_earlier_primary_is_refused,
                        standby_fixture)
{
    wait_for_standby();
    auto both = conninfo(primary.host() + "," + standby->host());
    auto first = connect(both);
    BOOST_TEST(host_of(*first) == primary.host());

    // The primary is alive, but another connection finds the promoted standby.
    standby->promote();
    auto other = connect(conninfo(standby->host()));
    BOOST_TEST(host_of(*other) == standby->host());
    io.restart();
    BOOST_TEST(host_of(*first) == primary.host()); // another connection string: nothing is known yet
    auto known = db::known_server::of(both);
    auto system =
        std::stoull(support::sql(primary.conninfo(), "SELECT system_identifier FROM pg_control_system()"));
    BOOST_REQUIRE(known->accept({system, 2}).has_value());
    BOOST_TEST(support::eventually([&] {
        io.restart();
        io.run_for(20ms);
        try {
            return host_of(*first) == standby->host();
        } catch (const db::failure&) {
            return false; // the lost connection
        }
    }));
}

BOOST_FIXTURE_TEST_CASE(a_promoted_standby_is_found_while_the_earlier_primary_answers, standby_fixture)
{
    wait_for_standby();
    auto both = conninfo(primary.host() + "," + standby->host());
    BOOST_TEST(db::has_several_hosts(both));
    BOOST_TEST(!db::has_several_hosts(conninfo(primary.host())));
    auto pipeline = connect(both);
    db::primary_watch watch(io, {.conninfo = both, .names = db::system_resolver(), .interval = 50ms});
    BOOST_TEST(host_of(*pipeline) == primary.host());
    standby->promote();
    auto is_moved = [&] {
        io.restart();
        io.run_for(20ms);
        try {
            return host_of(*pipeline) == standby->host();
        } catch (const db::failure&) {
            return false; // the lost connection
        }
    };
    BOOST_TEST(support::eventually(is_moved));
    BOOST_TEST(support::sql(primary.conninfo(), "SELECT pg_is_in_recovery()::text") == "false");
}

BOOST_FIXTURE_TEST_CASE(a_paused_primary_does_not_hide_its_successor, standby_fixture)
{
    wait_for_standby();
    auto both = conninfo(primary.host() + "," + standby->host());
    auto pipeline = connect(both);
    BOOST_TEST(host_of(*pipeline) == primary.host());
    primary.freeze();
    // It begins with a host that accepts the connection and never answers.
    db::primary_watch watch(
        io, {.conninfo = both, .names = db::system_resolver(), .interval = 50ms, .deadline = 300ms});
    standby->promote();
    auto known = db::known_server::of(both);
    auto system =
        std::stoull(support::sql(standby->conninfo(), "SELECT system_identifier FROM pg_control_system()"));
    BOOST_TEST(support::eventually([&] {
        io.restart();
        io.run_for(20ms);
        return !known->accept({system, 1}).has_value(); // the timeline of the paused primary
    }));
    primary.thaw();
}

BOOST_FIXTURE_TEST_CASE(a_connection_that_turns_read_only_is_given_up, standby_fixture)
{
    auto pipeline = connect(conninfo(primary.host()));
    support::run(io, [&] { return pipeline->run(write_something); });
    support::sql(primary.conninfo(), "ALTER SYSTEM SET default_transaction_read_only = on");
    support::sql(primary.conninfo(), "SELECT pg_reload_conf()");
    BOOST_TEST(support::eventually([&] {
        io.restart();
        try {
            if (pipeline->connected())
                support::run(io, [&] { return pipeline->run(write_something); });
        } catch (const db::failure& why) {
            BOOST_TEST(why.unavailable());
        }
        io.run_for(20ms);
        return !pipeline->connected();
    }));
    support::sql(primary.conninfo(), "ALTER SYSTEM RESET default_transaction_read_only");
    support::sql(primary.conninfo(), "SELECT pg_reload_conf()");
    io.restart();
    BOOST_TEST(host_of(*pipeline) == primary.host());
}

BOOST_AUTO_TEST_SUITE_END()
