#include "db/principals/last_used.hpp"

#include "db/postgres/spawn.hpp"
#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(last_used)

using db::test::from_now;
using db::test::new_digest;

namespace {

struct last_used_fixture : db::test::database_fixture {
    std::string last_used(const db::test::key& key) const
    {
        return data.sql(
            "SELECT coalesce(extract(epoch FROM last_used_at)::bigint::text, '') FROM api_keys WHERE id = '" +
            to_string(key.id) + "'");
    }

    static db::timestamp at(int second)
    {
        return db::timestamp(std::chrono::seconds(2'000'000'000 + second));
    }

    db::last_used_writer::config without_timer()
    {
        db::last_used_writer::config out;
        out.write_interval = std::chrono::hours(1);
        return out;
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(uses_are_buffered_written_and_never_go_back, last_used_fixture)
{
    db::last_used_writer writer(one.io, one.db, without_timer());
    auto key = add_key(bob);
    auto principal = run([&] { return one.principals.load_api_key(key.digest); });
    writer.record(*principal, at(0));
    writer.record(*principal, at(59)); // within the same minute: not recorded
    BOOST_TEST(last_used(key) == "");
    run([&] { return writer.flush(); });
    BOOST_TEST(last_used(key) == "2000000000");
    writer.record(*principal, at(60));
    run([&] { return writer.flush(); });
    BOOST_TEST(last_used(key) == "2000000060");

    db::last_used_writer other(one.io, one.db, without_timer()); // another core, a little behind
    principal->recorded_at = 0;
    other.record(*principal, at(55));
    run([&] { return other.close(); });
    BOOST_TEST(last_used(key) == "2000000060");
}

BOOST_FIXTURE_TEST_CASE(sessions_are_last_seen, last_used_fixture)
{
    db::last_used_writer writer(one.io, one.db, without_timer());
    auto session = add_session(bob);
    auto until = from_now(std::chrono::hours(1));
    db::credential_lookup token{new_digest(), session, workspace, membership_of(bob), until};
    auto principal = run([&] { return one.principals.load_session(token); });
    writer.record(*principal, at(0));
    run([&] { return writer.close(); });
    BOOST_TEST(data.sql("SELECT extract(epoch FROM last_seen_at)::bigint FROM sessions") == "2000000000");
}

BOOST_FIXTURE_TEST_CASE(the_timer_writes_by_itself, last_used_fixture)
{
    db::last_used_writer::config quick;
    quick.write_interval = std::chrono::milliseconds(10);
    db::last_used_writer writer(one.io, one.db, quick);
    auto key = add_key(bob);
    auto principal = run([&] { return one.principals.load_api_key(key.digest); });
    writer.record(*principal, at(0));
    one.io.restart();
    for (int i = 0; i < 300 && last_used(key).empty(); ++i)
        one.io.run_for(std::chrono::milliseconds(10));
    BOOST_TEST(last_used(key) == "2000000000");
}

BOOST_FIXTURE_TEST_CASE(closing_waits_for_a_write_in_progress, last_used_fixture)
{
    db::last_used_writer writer(one.io, one.db, without_timer());
    auto key = add_key(bob);
    auto principal = run([&] { return one.principals.load_api_key(key.digest); });
    writer.record(*principal, at(0));
    db::spawn(one.io.get_executor(),
              [](db::last_used_writer& w) -> db::awaitable<void> { co_await w.flush(); }(writer));
    run([&] { return writer.close(); }); // with nothing of its own to write
    BOOST_TEST(last_used(key) == "2000000000");
}

BOOST_FIXTURE_TEST_CASE(a_locked_row_is_skipped_until_the_next_flush, last_used_fixture)
{
    db::last_used_writer::config two_a_time = without_timer();
    two_a_time.rows_per_statement = 2;
    db::last_used_writer writer(one.io, one.db, two_a_time);
    std::vector<db::test::key> keys;
    for (int i = 0; i < 5; ++i) {
        keys.push_back(add_key(bob));
        auto principal = run([&] { return one.principals.load_api_key(keys.back().digest); });
        writer.record(*principal, at(i));
    }
    auto holder = PQconnectdb(data.conninfo().c_str());
    auto lock = "BEGIN; SELECT FROM api_keys WHERE id = '" + to_string(keys[2].id) + "' FOR UPDATE";
    PQclear(PQexec(holder, lock.c_str()));
    run([&] { return writer.flush(); });
    for (std::size_t i = 0; i < 5; ++i)
        BOOST_TEST(last_used(keys[i]).empty() == (i == 2));
    PQclear(PQexec(holder, "ROLLBACK"));
    PQfinish(holder);
    run([&] { return writer.flush(); });
    BOOST_TEST(last_used(keys[2]) == "2000000002");
}

BOOST_AUTO_TEST_SUITE_END()
