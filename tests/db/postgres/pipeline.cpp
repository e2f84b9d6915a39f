// One pipelined connection against a real PostgreSQL.
#include "db/postgres/pipeline.hpp"

#include "tests/support/database.hpp"
#include "tests/support/io.hpp"

#include <boost/asio/detached.hpp>
#include <boost/describe/class.hpp>
#include <boost/describe/enum.hpp>
#include <boost/test/unit_test.hpp>

#include <limits>
#include <string>

BOOST_AUTO_TEST_SUITE(pipeline)

using db::failure;
using namespace std::chrono_literals;

namespace {

const db::statement echo{"test_echo", "SELECT $1::text"};
const db::statement double_it{"test_double_it", "SELECT $1::int8 * 2 AS doubled, $2::text AS name"};
const db::statement divide{"test_divide", "SELECT 1 / $1::int4"};
const db::statement blank{"test_blank", "SELECT repeat('x', $1::int4)"};
const db::statement length{"test_length", "SELECT octet_length($1::text)"};
const db::statement nap{"test_nap", "SELECT 1 FROM pg_sleep($1::float8)"};
const db::statement insert{"test_insert", "INSERT INTO schema_migrations (name, checksum) VALUES ($1, '')"};
const db::statement count{"test_count", "SELECT count(*) FROM schema_migrations WHERE name = $1"};
const db::statement all_types{
    "test_all_types",
    "SELECT $1::text AS words, $2::bool AS yes, $3::int2 AS small, $4::int4 AS middling, $5::int8 AS large,"
    " $6::uuid AS id, $7::timestamptz AS at, $8::bytea AS digest, $9::text[] AS texts, $10::uuid[] AS ids,"
    " $11::bytea[] AS digests, $12::timestamptz[] AS instants, $13::workspace_role AS role"};
const db::statement forever{"test_forever", "SELECT 'infinity'::timestamptz"};
const db::statement listen{"test_listen", "LISTEN latchkey_test"};
const db::statement notify{"test_notify", "SELECT FROM pg_notify('latchkey_test', $1)"};

enum class role { admin, manager, member };
BOOST_DESCRIBE_ENUM(role, admin, manager, member)

struct doubled_row {
    std::int64_t doubled;
    std::string name;
};
BOOST_DESCRIBE_STRUCT(doubled_row, (), (doubled, name))

struct everything {
    std::optional<std::string> words;
    std::optional<bool> yes;
    std::optional<std::int16_t> small;
    std::optional<int> middling;
    std::optional<std::int64_t> large;
    std::optional<db::uuid> id;
    std::optional<db::timestamp> at;
    std::optional<db::digest> digest;
    std::optional<std::vector<std::string>> texts;
    std::optional<std::vector<db::uuid>> ids;
    std::optional<std::vector<db::digest>> digests;
    std::optional<std::vector<db::timestamp>> instants;
    std::optional<role> role;

    bool operator==(const everything&) const = default;
};
BOOST_DESCRIBE_STRUCT(everything, (),
                      (words, yes, small, middling, large, id, at, digest, texts, ids, digests, instants,
                       role))

struct pipeline_fixture {
    support::database database;
    boost::asio::io_context io{1};
    db::pipeline pipeline{io, settings()};

    db::pipeline::config settings() const
    {
        db::pipeline::config made;
        made.conninfo = database.conninfo();
        made.connect_timeout = made.queue_timeout = made.deadline = 20s; // not a test of speed
        return made;
    }

    /// Run one statement to its end and read its only value.
    template <class T, class... Values>
    T ask(const db::statement& stmt, const Values&... values)
    {
        return support::run(io, [&] { return pipeline.run(stmt, values...); }).template scalar<T>();
    }

    db::results run(db::batch work)
    {
        return support::run(io, [&] { return pipeline.run(std::move(work)); });
    }

    everything round_trip(const everything& sent)
    {
        auto answer = support::run(io, [&] {
            return pipeline.run(all_types, sent.words, sent.yes, sent.small, sent.middling, sent.large,
                                sent.id, sent.at, sent.digest, sent.texts, sent.ids, sent.digests,
                                sent.instants, sent.role);
        });
        return answer.as_one<everything>();
    }

    /// Run `copies` coroutines concurrently, each with its number.
    template <class Body>
    void run_concurrently(int copies, Body body)
    {
        int left = copies;
        std::exception_ptr first_error;
        for (int number = 0; number < copies; ++number)
            boost::asio::co_spawn(io, body(number), [&](std::exception_ptr error) {
                first_error = first_error ? first_error : error;
                --left;
            });
        io.restart();
        auto until = std::chrono::steady_clock::now() + 60s;
        while (left > 0 && io.run_one_until(until) > 0) {
        }
        if (first_error)
            std::rethrow_exception(first_error);
        BOOST_TEST(left == 0);
    }
};

auto sqlstate_is(std::string_view expected)
{
    return [expected](const failure& why) { return why.sqlstate() == expected; };
}

} // namespace

BOOST_FIXTURE_TEST_CASE(every_type_round_trips, pipeline_fixture)
{
    everything sent;
    sent.words = "Grüße, 世界 🔑 \"quoted\" \\ 'single'";
    sent.yes = true;
    sent.small = std::numeric_limits<std::int16_t>::min();
    sent.middling = std::numeric_limits<int>::min();
    sent.large = std::numeric_limits<std::int64_t>::max();
    sent.id = db::uuid{{1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 255}};
    sent.at = db::timestamp(1732447145123456us);
    sent.digest = db::digest{0, 255, 0, 1};
    sent.texts = {"a", "", "NULL", "with, comma", "{braces}", "\"", "\\", "ü\n"};
    sent.ids = {db::uuid{}, *sent.id};
    sent.digests = {db::digest{}, *sent.digest};
    sent.instants = {*sent.at, db::timestamp(-1us),
                     db::timestamp(std::chrono::sys_days{std::chrono::year(1) / 1 / 1})};
    sent.role = role::manager;
    BOOST_TEST((round_trip(sent) == sent));
}

BOOST_FIXTURE_TEST_CASE(null_and_empty_are_distinct, pipeline_fixture)
{
    everything nothing;
    BOOST_TEST((round_trip(nothing) == nothing));
    everything empty;
    empty.words = "";
    empty.texts.emplace();
    empty.ids.emplace();
    empty.digests.emplace();
    empty.instants.emplace();
    BOOST_TEST((round_trip(empty) == empty));
}

BOOST_FIXTURE_TEST_CASE(infinity_is_rejected, pipeline_fixture)
{
    BOOST_CHECK_THROW(ask<db::timestamp>(forever), failure);
    BOOST_CHECK_THROW(ask<std::string>(echo, db::timestamp::max()), failure);
}

BOOST_FIXTURE_TEST_CASE(invalid_utf_8_is_rejected_by_the_server, pipeline_fixture)
{
    BOOST_CHECK_EXCEPTION(ask<std::string>(echo, "\xff"), failure, sqlstate_is("22021"));
    BOOST_TEST(ask<std::string>(echo, "fine") == "fine");
}

BOOST_FIXTURE_TEST_CASE(a_thousand_concurrent_batches_get_their_own_answers, pipeline_fixture)
{
    int right = 0;
    run_concurrently(1000, [&](int number) -> db::awaitable<void> {
        auto name = "name " + std::to_string(number);
        auto answer = co_await pipeline.run(double_it, number, name);
        auto row = answer.as_one<doubled_row>();
        right += row.doubled == 2 * number && row.name == name;
    });
    BOOST_TEST(right == 1000);
    BOOST_TEST(pipeline.in_flight() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_failing_batch_affects_no_other, pipeline_fixture)
{
    int right = 0, failed = 0;
    run_concurrently(300, [&](int number) -> db::awaitable<void> {
        db::batch work;
        work.add(double_it, number, "").add(divide, number % 3).add(double_it, number + 1, "");
        try {
            auto answers = co_await pipeline.run(std::move(work));
            right += answers.size() == 3 && answers[0].scalar<std::int64_t>() == 2 * number &&
                     answers.last().scalar<std::int64_t>() == 2 * (number + 1);
        } catch (const failure& why) {
            failed += number % 3 == 0 && why.sqlstate() == "22012" && !why.unavailable();
        }
    });
    BOOST_TEST(right == 200);
    BOOST_TEST(failed == 100);
}

BOOST_FIXTURE_TEST_CASE(a_batch_takes_effect_as_a_whole_or_not_at_all, pipeline_fixture)
{
    db::batch broken;
    broken.add(insert, "9000_half").add(divide, 0);
    BOOST_CHECK_EXCEPTION(run(std::move(broken)), failure, sqlstate_is("22012"));
    BOOST_TEST(ask<std::int64_t>(count, "9000_half") == 0);

    db::batch whole;
    whole.add(insert, "9000_whole").add(count, "9000_whole");
    auto answers = run(std::move(whole));
    BOOST_TEST(answers.first().affected() == 1u);
    BOOST_TEST(answers.last().scalar<std::int64_t>() == 1);
}

BOOST_FIXTURE_TEST_CASE(a_violated_constraint_is_named, pipeline_fixture)
{
    db::batch twice;
    twice.add(insert, "9001_twice").add(insert, "9001_twice");
    BOOST_CHECK_EXCEPTION(run(std::move(twice)), failure, [](const failure& why) {
        return why.is_unique_violation("schema_migrations_pkey") && !why.is_unique_violation("another") &&
               why.kind() == db::failure_kind::statement;
    });
}

BOOST_FIXTURE_TEST_CASE(large_values_in_both_directions_do_not_deadlock, pipeline_fixture)
{
    std::string megabyte(1 << 20, 'm');
    int right = 0;
    run_concurrently(60, [&](int number) -> db::awaitable<void> {
        if (number % 2) {
            auto answer = co_await pipeline.run(echo, megabyte);
            right += answer.scalar<std::string>() == megabyte;
        } else {
            db::batch work;
            work.add(blank, 1 << 20).add(length, megabyte).add(blank, 1 << 20);
            auto answers = co_await pipeline.run(std::move(work));
            right +=
                answers[0].scalar<std::string>().size() == 1u << 20 && answers[1].scalar<int>() == 1 << 20;
        }
    });
    BOOST_TEST(right == 60);
}

BOOST_FIXTURE_TEST_CASE(one_batch_may_be_larger_than_every_buffer, pipeline_fixture)
{
    std::string megabyte(1 << 20, 'm');
    db::batch work;
    for (int times = 0; times < 40; ++times)
        work.add(echo, megabyte);
    auto answers = run(std::move(work));
    BOOST_TEST(answers.size() == 40u);
    for (const auto& answer : answers)
        BOOST_TEST((answer.scalar<std::string>() == megabyte));
}

BOOST_FIXTURE_TEST_CASE(an_empty_batch_waits_for_the_connection, pipeline_fixture)
{
    BOOST_TEST(!pipeline.connected());
    support::run(io, [&] { return pipeline.ready(); });
    BOOST_TEST(pipeline.connected());
    BOOST_TEST(pipeline.generation() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_late_answer_is_discarded, pipeline_fixture)
{
    auto impatient = settings();
    impatient.deadline = 2s; // after twice that, the connection would be replaced
    impatient.queue_timeout = 20s;
    db::pipeline other(io, impatient);
    support::run(io, [&] { return other.ready(); });

    auto asked = std::chrono::steady_clock::now();
    auto late = [&] { return other.run(nap, 3); };
    BOOST_CHECK_EXCEPTION(support::run(io, late), failure, [](const failure& why) {
        return why.unavailable() && std::string(why.what()).starts_with("deadline");
    });
    BOOST_TEST((std::chrono::steady_clock::now() - asked < 3s));
    BOOST_TEST(other.in_flight() == 1u); // its slot is kept

    // Batches sent meanwhile are late as well, since the connection is busy. Later ones
    // get their own answers.
    auto behind = [&] { return other.run(echo, "behind"); };
    for (int attempt = 0; attempt < 40; ++attempt) {
        try {
            BOOST_TEST(support::run(io, behind).scalar<std::string>() == "behind");
            break;
        } catch (const failure&) {
            BOOST_TEST(attempt < 39);
        }
    }
    auto last = [&] { return other.run(echo, "last"); };
    BOOST_TEST(support::run(io, last).scalar<std::string>() == "last");
    BOOST_TEST(other.generation() == 1u);
}

BOOST_FIXTURE_TEST_CASE(the_server_ends_a_statement_that_runs_too_long, pipeline_fixture)
{
    auto strict = settings();
    strict.statement_timeout = 200ms;
    db::pipeline other(io, strict);
    auto slow = [&] { return other.run(nap, 10); };
    BOOST_CHECK_EXCEPTION(support::run(io, slow), failure,
                          [](const failure& why) { return why.sqlstate() == "57014" && why.unavailable(); });

    strict.conninfo += "&options=-c%20statement_timeout%3D77";
    db::pipeline own_settings(io, strict);
    static const db::statement setting{"test_setting", "SELECT current_setting('statement_timeout')"};
    db::pipeline asked(io, strict);
    auto ask_it = [&] { return asked.run(setting); };
    BOOST_TEST(support::run(io, ask_it).scalar<std::string>() == "77ms");
}

BOOST_FIXTURE_TEST_CASE(prefer_index_scans_disables_sequential_scans, pipeline_fixture)
{
    static const db::statement setting{"test_scans", "SELECT current_setting('enable_seqscan')"};
    auto lookups = settings();
    lookups.prefer_index_scans = true;
    for (auto& [how, scans] : {std::pair(settings(), "on"), std::pair(lookups, "off")}) {
        db::pipeline asked(io, how);
        auto ask_it = [&] { return asked.run(setting); };
        BOOST_TEST(support::run(io, ask_it).scalar<std::string>() == scans);
    }
}

BOOST_FIXTURE_TEST_CASE(a_full_queue_fails_at_once, pipeline_fixture)
{
    auto small = settings();
    small.queue_limit = 10;
    db::pipeline other(io, small);
    int served = 0, shed = 0;
    run_concurrently(25, [&](int) -> db::awaitable<void> {
        try {
            co_await other.run(echo, "x");
            ++served;
        } catch (const failure& why) {
            shed += why.kind() == db::failure_kind::overloaded && why.unavailable();
        }
    });
    BOOST_TEST(served == 10);
    BOOST_TEST(shed == 15);
}

BOOST_FIXTURE_TEST_CASE(ready_fails_with_the_name_of_a_wrong_statement, pipeline_fixture)
{
    const db::statement wrong{"test_wrong", "SELECT nothing_of_the_kind FROM users"};
    std::string event;
    auto watched = settings();
    watched.on_event = [&](std::string_view name, std::string_view detail) {
        event = std::string(name) + ": " + std::string(detail);
    };
    db::pipeline other(io, watched);
    BOOST_CHECK_EXCEPTION(support::run(io, [&] { return other.ready(); }), failure, [](const failure& why) {
        std::string_view message = why.what();
        return why.kind() == db::failure_kind::statement && why.sqlstate() == "42703" &&
               message.starts_with("statement test_wrong: ") &&
               message.find("nothing_of_the_kind") != message.npos;
    });
    BOOST_TEST(event.starts_with("connect failed: statement test_wrong"));
    BOOST_TEST(!other.connected());
}

BOOST_FIXTURE_TEST_CASE(stale_statements_are_prepared_again, pipeline_fixture)
{
    database.sql("CREATE TABLE changing (a int); INSERT INTO changing VALUES (1)");
    const db::statement all{"test_changing", "SELECT * FROM changing"};
    db::pipeline other(io, settings());
    auto ask_it = [&] { return other.run(all); };
    BOOST_TEST(support::run(io, ask_it).scalar<int>() == 1);
    database.sql("ALTER TABLE changing ALTER a TYPE text");
    BOOST_CHECK_EXCEPTION(support::run(io, ask_it), failure,
                          [](const failure& why) { return why.unavailable(); });
    BOOST_TEST(support::run(io, ask_it).scalar<std::string>() == "1");
    BOOST_TEST(other.generation() == 2u);
}

BOOST_FIXTURE_TEST_CASE(unprepared_statements_work_alike, pipeline_fixture)
{
    auto pooled = settings();
    pooled.prepare = false;
    db::pipeline other(io, pooled);
    auto ask_it = [&] { return other.run(double_it, 21, "x"); };
    BOOST_TEST(support::run(io, ask_it).as_one<doubled_row>().doubled == 42);
}

BOOST_FIXTURE_TEST_CASE(notifications_precede_later_answers, pipeline_fixture)
{
    std::vector<std::string> received;
    auto listening = settings();
    listening.on_notification = [&](std::string_view channel, std::string_view payload) {
        received.push_back(std::string(channel) + " " + std::string(payload));
    };
    db::pipeline other(io, listening);
    support::run(io, [&] { return other.run(listen); });
    support::run(io, [&] { return pipeline.run(notify, "one"); });
    support::run(io, [&] { return other.run(echo, "after"); });
    BOOST_TEST(received == std::vector<std::string>{"latchkey_test one"}, boost::test_tools::per_element());
}

BOOST_FIXTURE_TEST_CASE(close_completes_batches_in_flight, pipeline_fixture)
{
    int answered = 0;
    support::run(io, [&] { return pipeline.ready(); });
    auto work = [&]() -> db::awaitable<void> {
        co_await pipeline.run(nap, 0.2);
        ++answered;
    };
    boost::asio::co_spawn(io, work, boost::asio::detached);
    io.poll();
    support::run(io, [&] { return pipeline.close(); });
    BOOST_TEST(answered == 1);
    BOOST_TEST(!pipeline.connected());
    BOOST_CHECK_THROW(ask<std::string>(echo, "too late"), failure);
    io.restart();
    BOOST_TEST(io.run_for(1s) < 10u); // no timer is left running
    BOOST_TEST(io.stopped());
}

BOOST_FIXTURE_TEST_CASE(a_pipeline_that_never_connected_can_be_closed, pipeline_fixture)
{
    auto nowhere = settings();
    nowhere.conninfo = "host=/nonexistent dbname=x";
    db::pipeline other(io, nowhere);
    support::run(io, [&] { return other.close(); });
    BOOST_TEST(!other.connected());
}

namespace {

struct watched {
    int& destroyed;
    ~watched() { ++destroyed; }
};

db::awaitable<void> wait_long(db::pipeline& on, int& destroyed)
{
    watched inside{destroyed};
    co_await on.run(nap, 3);
}

} // namespace

BOOST_FIXTURE_TEST_CASE(destroying_the_pipeline_destroys_waiting_coroutines, pipeline_fixture)
{
    int destroyed = 0;
    {
        db::pipeline other(io, settings());
        support::run(io, [&] { return other.ready(); });
        boost::asio::co_spawn(io, wait_long(other, destroyed), boost::asio::detached);
        boost::asio::co_spawn(io, wait_long(other, destroyed), boost::asio::detached);
        io.restart();
        io.run_for(50ms);
    }
    io.restart();
    auto until = std::chrono::steady_clock::now() + 60s; // Asio unwinds a coroutine through its executor
    while (destroyed < 2 && io.run_one_until(until) > 0) {
    }
    BOOST_TEST(destroyed == 2);
}

BOOST_AUTO_TEST_CASE(an_io_context_may_be_destroyed_with_its_pipeline_in_use)
{
    support::database database;
    int destroyed = 0;
    {
        boost::asio::io_context io(1);
        auto whole_life = [](boost::asio::io_context& on, std::string conninfo,
                             int& ended) -> db::awaitable<void> {
            db::pipeline::config settings;
            settings.conninfo = std::move(conninfo);
            db::pipeline own(on, settings);
            co_await wait_long(own, ended);
        };
        boost::asio::co_spawn(io, whole_life(io, database.conninfo(), destroyed), boost::asio::detached);
        io.run_for(300ms);
    }
    BOOST_TEST(destroyed == 1);
}

BOOST_AUTO_TEST_SUITE_END()
