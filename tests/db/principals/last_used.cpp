#include "db/principals/last_used.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(last_used)

using house::in;
using house::new_digest;

namespace {

struct noting : house::fixture {
    std::string last_used(const house::key& key) const
    {
        return data.sql(
            "SELECT coalesce(extract(epoch FROM last_used_at)::bigint::text, '') FROM api_keys WHERE id = '" +
            to_string(key.id) + "'");
    }

    static db::timestamp at(int second)
    {
        return db::timestamp(std::chrono::seconds(2'000'000'000 + second));
    }

    db::usage::config never_by_itself()
    {
        db::usage::config out;
        out.write_every = std::chrono::hours(1);
        return out;
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(uses_are_gathered_written_and_never_go_back, noting)
{
    db::usage usage(one.io, one.db, never_by_itself());
    auto key = add_key(bob);
    auto who = run([&] { return one.principals.load_api_key(key.digest); });
    usage.note(*who, at(0));
    usage.note(*who, at(59)); // within the same minute: not noted
    BOOST_TEST(last_used(key) == "");
    run([&] { return usage.flush(); });
    BOOST_TEST(last_used(key) == "2000000000");
    usage.note(*who, at(60));
    run([&] { return usage.flush(); });
    BOOST_TEST(last_used(key) == "2000000060");

    db::usage other(one.io, one.db, never_by_itself()); // another core, a little behind
    who->noted_at = 0;
    other.note(*who, at(55));
    run([&] { return other.close(); });
    BOOST_TEST(last_used(key) == "2000000060");
}

BOOST_FIXTURE_TEST_CASE(sessions_are_last_seen, noting)
{
    db::usage usage(one.io, one.db, never_by_itself());
    auto session = add_session(bob);
    auto until = in(std::chrono::hours(1));
    auto who = run([&] { return one.principals.load_session(new_digest(), session, workspace, until); });
    usage.note(*who, at(0));
    run([&] { return usage.close(); });
    BOOST_TEST(data.sql("SELECT extract(epoch FROM last_seen_at)::bigint FROM sessions") == "2000000000");
}

BOOST_FIXTURE_TEST_CASE(the_timer_writes_by_itself, noting)
{
    db::usage::config quick;
    quick.write_every = std::chrono::milliseconds(10);
    db::usage usage(one.io, one.db, quick);
    auto key = add_key(bob);
    auto who = run([&] { return one.principals.load_api_key(key.digest); });
    usage.note(*who, at(0));
    one.io.restart();
    for (int i = 0; i < 300 && last_used(key).empty(); ++i)
        one.io.run_for(std::chrono::milliseconds(10));
    BOOST_TEST(last_used(key) == "2000000000");
}

BOOST_FIXTURE_TEST_CASE(a_locked_row_waits_for_the_next_time_and_stops_nobody, noting)
{
    db::usage::config two_a_time = never_by_itself();
    two_a_time.rows_per_statement = 2;
    db::usage usage(one.io, one.db, two_a_time);
    std::vector<house::key> keys;
    for (int i = 0; i < 5; ++i) {
        keys.push_back(add_key(bob));
        auto who = run([&] { return one.principals.load_api_key(keys.back().digest); });
        usage.note(*who, at(i));
    }
    auto holder = PQconnectdb(data.conninfo().c_str());
    auto lock = "BEGIN; SELECT FROM api_keys WHERE id = '" + to_string(keys[2].id) + "' FOR UPDATE";
    PQclear(PQexec(holder, lock.c_str()));
    run([&] { return usage.flush(); });
    for (std::size_t i = 0; i < 5; ++i)
        BOOST_TEST(last_used(keys[i]).empty() == (i == 2));
    PQclear(PQexec(holder, "ROLLBACK"));
    PQfinish(holder);
    run([&] { return usage.flush(); });
    BOOST_TEST(last_used(keys[2]) == "2000000002");
}

BOOST_AUTO_TEST_SUITE_END()
