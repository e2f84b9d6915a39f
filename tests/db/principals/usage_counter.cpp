// Usage: counts in principals, their collection, and the rows that they become.
#include "db/principals/usage_counter.hpp"

#include "db/principals/last_used.hpp"
#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(usage_counter)

using db::test::from_now;
using db::test::new_digest;

namespace {

constexpr std::chrono::seconds interval{60};

struct usage_fixture : db::test::database_fixture {
    db::principal_ref load(const db::test::key& of)
    {
        return run([&] { return one.principals.load_api_key(of.digest); });
    }

    db::principal_ref session_of(const db::uuid& user)
    {
        db::credential_lookup token{new_digest(), add_session(user), workspace, membership_of(user),
                                    from_now(std::chrono::hours(1))};
        return run([&] { return one.principals.load_session(token); });
    }

    static db::timestamp at(std::int64_t second) { return db::timestamp(std::chrono::seconds(day + second)); }

    static std::chrono::system_clock::time_point clock(std::int64_t second)
    {
        return std::chrono::system_clock::time_point(std::chrono::seconds(day + second));
    }

    /// "day prefix checks/refusals/429" of each row; a dash for sessions.
    std::string rows() const
    {
        return data.sql(
            "SELECT coalesce(string_agg(day || ' ' || coalesce(k.prefix, '-') || ' ' || checks || '/' "
            "|| refusals || '/' || rate_limited, ', ' ORDER BY day, k.prefix), '') "
            "FROM usage_daily LEFT JOIN api_keys k ON k.id = key_id");
    }

    void write(db::usage_counter& counter, std::size_t rows_per_statement = 500)
    {
        run([&] { return counter.write(one.db, rows_per_statement); });
    }

    /// 2026-11-30.
    static constexpr std::int64_t day = 20787LL * 86400;
    db::test::key key = add_key(bob);
};

} // namespace

BOOST_FIXTURE_TEST_CASE(counts_are_taken_after_an_interval, usage_fixture)
{
    db::usage_counter counter(interval, 1000);
    auto principal = load(key);
    principal->counts = {5, 2, 1};
    counter.add(*principal, day + 10);
    counter.take_due(clock(69));
    write(counter);
    BOOST_TEST(rows() == "");
    principal->counts.checks += 2; // still collected
    counter.take_due(clock(70));
    BOOST_TEST(principal->counts.checks == 0u);
    BOOST_TEST(principal->recorded_at == 0u); // its next use is recorded, and collected
    write(counter);
    BOOST_TEST(rows() == "2026-11-30 " + key.prefix + " 7/2/1");
    write(counter); // nothing is left
    BOOST_TEST(rows() == "2026-11-30 " + key.prefix + " 7/2/1");
}

BOOST_FIXTURE_TEST_CASE(counts_add_up_by_day_and_key, usage_fixture)
{
    db::usage_counter counter(interval, 1000);
    auto other = add_key(ada);
    auto count = [&](const db::principal_ref& of, std::int64_t second, db::usage_counts more) {
        of->counts = more;
        counter.add(*of, day + second);
        counter.take_all();
        write(counter);
    };
    auto first = load(key), second = load(other), browser = session_of(bob), phone = session_of(ada);
    count(first, 0, {1, 0, 0});
    count(first, 86399, {2, 1, 0});
    count(first, 86400, {4, 0, 0});
    count(second, 5, {8, 0, 3});
    count(browser, 5, {16, 0, 0});
    count(phone, 5, {32, 0, 0}); // all sessions of the workspace are one row
    auto prefixes = std::minmax(key.prefix, other.prefix);
    auto of_first = "2026-11-30 " + key.prefix + " 3/1/0",
         of_second = "2026-11-30 " + other.prefix + " 8/0/3";
    bool in_order = prefixes.first == key.prefix;
    BOOST_TEST(rows() == (in_order ? of_first : of_second) + ", " + (in_order ? of_second : of_first) +
                             ", 2026-11-30 - 48/0/0, 2026-12-01 " + key.prefix + " 4/0/0");
}

BOOST_FIXTURE_TEST_CASE(the_number_of_collected_principals_is_bounded, usage_fixture)
{
    db::usage_counter counter(interval, 2);
    std::vector<db::principal_ref> all;
    for (int i = 0; i < 5; ++i) {
        all.push_back(load(add_key(bob)));
        all.back()->counts.checks = 1;
        counter.add(*all.back(), day);
    }
    int collected = 0;
    for (auto& each : all)
        collected += each->is_collected;
    BOOST_TEST(collected == 2);
    write(counter, 2); // statements of two rows
    BOOST_TEST(data.sql("SELECT count(*) FROM usage_daily") == "3");
}

BOOST_FIXTURE_TEST_CASE(a_deleted_workspace_is_forgotten_and_a_locked_one_is_not, usage_fixture)
{
    db::usage_counter counter(interval, 1000);
    auto principal = load(key);
    auto count = [&] {
        principal->counts.checks = 1;
        counter.add(*principal, day);
        counter.take_all();
    };
    support::sql_connection holder(data.conninfo());
    holder.run("BEGIN; SELECT 1 FROM workspaces FOR UPDATE");
    count();
    write(counter); // does not wait
    BOOST_TEST(rows() == "");
    holder.run("ROLLBACK");
    write(counter);
    BOOST_TEST(rows() == "2026-11-30 " + key.prefix + " 1/0/0");

    data.sql("DELETE FROM workspaces");
    BOOST_TEST(rows() == ""); // with the workspace
    count();
    for (int i = 0; i < 3; ++i)
        write(counter);
    BOOST_TEST(rows() == "");
}

BOOST_FIXTURE_TEST_CASE(what_cannot_be_written_is_kept, usage_fixture)
{
    db::usage_counter counter(interval, 1000);
    auto principal = load(key);
    principal->counts.checks = 3;
    counter.add(*principal, day);
    counter.take_all();
    data.sql("ALTER TABLE usage_daily RENAME TO away");
    BOOST_CHECK_THROW(write(counter), db::failure);
    data.sql("ALTER TABLE away RENAME TO usage_daily");
    write(counter);
    BOOST_TEST(rows() == "2026-11-30 " + key.prefix + " 3/0/0");
}

BOOST_FIXTURE_TEST_CASE(the_writer_counts_each_kind_of_request, usage_fixture)
{
    db::last_used_writer::config without_timer;
    without_timer.write_interval = std::chrono::hours(1);
    db::last_used_writer writer(one.io, one.db, without_timer);
    auto principal = load(key);
    writer.count_rate_limited(*principal, at(0));
    writer.count_rejection(*principal, at(0));
    run([&] { return writer.flush(); });
    BOOST_TEST(rows() == "2026-11-30 " + key.prefix + " 2/1/1");
    BOOST_TEST(data.sql("SELECT count(*) FROM api_keys WHERE last_used_at IS NOT NULL") == "0"); // no uses

    for (int second = 1; second < 4; ++second)
        writer.record(*principal, at(second));
    writer.count_refusal(*principal, at(4));
    run([&] { return writer.close(); });
    BOOST_TEST(rows() == "2026-11-30 " + key.prefix + " 5/2/1");
    BOOST_TEST(data.sql("SELECT count(*) FROM api_keys WHERE last_used_at IS NOT NULL") == "1");
}

BOOST_AUTO_TEST_SUITE_END()
