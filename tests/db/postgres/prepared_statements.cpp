// Statements are prepared when a connection first uses them, against a real PostgreSQL.
#include "db/postgres/pipeline.hpp"
#include "tests/support/database.hpp"
#include "tests/support/io.hpp"

#include <boost/test/unit_test.hpp>

#include <exception>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(prepared_statements)

using db::failure;
using namespace std::chrono_literals;

namespace {

const db::statement echo{"prepared_test_echo", "SELECT $1::text"};
const db::statement increment{"prepared_test_increment", "SELECT $1::int4 + 1"};
const db::statement divide{"prepared_test_divide", "SELECT 1 / $1::int4"};
const db::statement count{"prepared_test_count",
                          "SELECT count(*) FROM schema_migrations WHERE name = '9100_test'"};
const db::statement insert{"prepared_test_insert",
                           "INSERT INTO schema_migrations (name, checksum) VALUES ('9100_test', '')"};
const db::statement backend{"prepared_test_backend", "SELECT pg_backend_pid()"};

/// Those of the connection, this one included.
const db::statement prepared{"prepared_test_names", R"(
    SELECT string_agg(replace(name, 'prepared_test_', ''), ' ' ORDER BY name) FROM pg_prepared_statements)"};

struct prepared_fixture {
    support::database database;
    boost::asio::io_context io{1};
    db::pipeline pipeline{io, settings()};

    prepared_fixture()
    {
        support::run(io, [&] { return pipeline.ready(); });
    }

    db::pipeline::config settings() const
    {
        db::pipeline::config made;
        made.conninfo = database.conninfo();
        made.connect_timeout = made.queue_timeout = made.deadline = 20s; // not a test of speed
        return made;
    }

    template <class T, class... Values>
    T ask(db::pipeline& on, const db::statement& stmt, const Values&... values)
    {
        return support::run(io, [&] { return on.run(stmt, values...); }).template scalar<T>();
    }

    template <class T, class... Values>
    T ask(const db::statement& stmt, const Values&... values)
    {
        return ask<T>(pipeline, stmt, values...);
    }

    /// Send batches in one turn of the reactor. @return the error of each, or null
    std::vector<std::exception_ptr> run_together(db::pipeline& on, std::vector<db::batch> all)
    {
        std::vector<std::exception_ptr> errors(all.size());
        std::size_t left = all.size();
        for (std::size_t number = 0; number < all.size(); ++number)
            boost::asio::co_spawn(io, on.run(std::move(all[number])),
                                  [&, number](std::exception_ptr error, const db::results&) {
                                      errors[number] = error;
                                      --left;
                                  });
        io.restart();
        auto until = std::chrono::steady_clock::now() + 60s;
        while (left > 0 && io.run_one_until(until) > 0) {
        }
        BOOST_TEST(left == 0u);
        return errors;
    }

    /// Use a statement until a new connection has answered it.
    void await_connection(std::uint64_t generation)
    {
        for (int attempt = 0; attempt < 100 && pipeline.generation() < generation; ++attempt)
            try {
                ask<std::int32_t>(backend);
            } catch (const failure& why) {
                BOOST_TEST(why.unavailable(), why.what());
            }
        BOOST_TEST(pipeline.generation() == generation);
    }
};

template <class... Statements>
db::batch batch_of(const Statements&... statements)
{
    db::batch out;
    (out.add(statements), ...);
    return out;
}

/// The failure that an exception is.
failure failure_in(const std::exception_ptr& error)
{
    if (!error)
        return failure(db::failure_kind::misuse, "no error");
    try {
        std::rethrow_exception(error);
    } catch (const failure& why) {
        return why;
    }
}

auto unavailable = [](const failure& why) { return why.unavailable(); };

} // namespace

BOOST_FIXTURE_TEST_CASE(a_statement_is_prepared_once_when_it_is_used, prepared_fixture)
{
    BOOST_TEST(ask<std::string>(prepared) == "names");
    for (int times = 0; times < 3; ++times)
        BOOST_TEST(ask<std::string>(echo, "x") == "x");
    BOOST_TEST(ask<std::string>(prepared) == "echo names");
    BOOST_TEST(ask<int>(increment, 1) == 2);
    BOOST_TEST(ask<std::string>(prepared) == "echo increment names");
    BOOST_TEST(pipeline.generation() == 1u); // a second Parse would have failed
}

BOOST_FIXTURE_TEST_CASE(a_statement_behind_an_error_is_prepared_all_the_same, prepared_fixture)
{
    db::batch failing;
    failing.add(divide, 0).add(echo, "x");
    auto errors = run_together(pipeline, {std::move(failing)});
    BOOST_TEST(failure_in(errors[0]).sqlstate() == "22012");
    BOOST_TEST(ask<std::string>(prepared) == "divide echo names");
    BOOST_TEST(ask<std::string>(echo, "again") == "again");
    BOOST_TEST(pipeline.generation() == 1u);
}

BOOST_FIXTURE_TEST_CASE(batches_in_flight_share_a_parse, prepared_fixture)
{
    std::vector<db::batch> all;
    for (int number = 0; number < 100; ++number) {
        db::batch work;
        if (number % 3 == 0)
            work.add(divide, number % 2); // every other one fails
        work.add(echo, "x").add(increment, number).add(echo, "y");
        all.push_back(std::move(work));
    }
    auto errors = run_together(pipeline, std::move(all));
    for (int number = 0; number < 100; ++number) {
        auto& error = errors[static_cast<std::size_t>(number)];
        BOOST_TEST((number % 6 == 0 ? failure_in(error).sqlstate() == "22012" : error == nullptr));
    }
    BOOST_TEST(ask<std::string>(prepared) == "divide echo increment names");
    BOOST_TEST(pipeline.generation() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_refused_statement_fails_only_the_batches_that_use_it, prepared_fixture)
{
    const db::statement absent{"prepared_test_absent", "SELECT a FROM later"};
    std::vector<db::batch> all;
    all.push_back(batch_of(count, absent));
    all.push_back(batch_of(count)); // its Parse was sent with the batch above
    all.push_back(batch_of(insert, absent));
    all.push_back(batch_of(absent, insert));
    all.push_back(batch_of(count));
    auto errors = run_together(pipeline, std::move(all));
    for (auto number : {std::size_t{0}, std::size_t{2}, std::size_t{3}}) {
        auto why = failure_in(errors[number]);
        BOOST_TEST(why.sqlstate() == "42P01");
        BOOST_TEST((why.kind() == db::failure_kind::statement));
        BOOST_TEST(std::string_view(why.what()).starts_with("statement prepared_test_absent: "), why.what());
    }
    BOOST_TEST(!errors[1]);
    BOOST_TEST(!errors[4]);
    BOOST_TEST(ask<std::int64_t>(count) == 0); // a batch takes effect as a whole or not at all
    BOOST_TEST(ask<std::string>(prepared) == "count insert names");

    // Its next use asks again.
    BOOST_CHECK_EXCEPTION(ask<int>(absent), failure,
                          [](const failure& why) { return why.sqlstate() == "42P01"; });
    database.sql("CREATE TABLE later (a int); INSERT INTO later VALUES (7)");
    BOOST_TEST(ask<int>(absent) == 7);
    BOOST_TEST(ask<std::string>(prepared) == "absent count insert names");
    BOOST_TEST(pipeline.generation() == 1u);
}

// A Parse waits for a lock that excludes all access, until the server ends it.
BOOST_FIXTURE_TEST_CASE(a_parse_that_times_out_is_repeated_by_the_next_use, prepared_fixture)
{
    database.sql("CREATE TABLE locked (a int); INSERT INTO locked VALUES (7)");
    const db::statement from_locked{"prepared_test_locked", "SELECT a FROM locked"};
    auto strict = settings();
    strict.statement_timeout = 200ms;
    db::pipeline other(io, strict);
    support::run(io, [&] { return other.ready(); });

    support::sql_connection locker(database.conninfo());
    locker.run("BEGIN; LOCK TABLE locked");
    std::vector<db::batch> all;
    all.push_back(batch_of(from_locked));
    all.push_back(batch_of(from_locked));
    all.push_back(batch_of(count));
    auto errors = run_together(other, std::move(all));
    for (auto& error : {errors[0], errors[1]}) {
        auto why = failure_in(error);
        BOOST_TEST(why.sqlstate() == "57014", why.what());
        BOOST_TEST(why.unavailable());
    }
    BOOST_TEST(!errors[2]);

    locker.run("ROLLBACK");
    BOOST_TEST(ask<int>(other, from_locked) == 7);
    BOOST_TEST(other.generation() == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_new_connection_has_prepared_nothing, prepared_fixture)
{
    BOOST_TEST(ask<std::string>(echo, "x") == "x");
    BOOST_TEST(ask<std::string>(prepared) == "echo names");
    auto killed = std::to_string(ask<std::int32_t>(backend));
    database.sql("SELECT pg_terminate_backend(" + killed + ", 20000)");
    await_connection(2);
    BOOST_TEST(ask<std::string>(prepared) == "backend names");
    BOOST_TEST(ask<std::string>(echo, "y") == "y");
    BOOST_TEST(ask<std::string>(prepared) == "backend echo names");
}

// As a pooler does it that gives the client another server connection.
BOOST_FIXTURE_TEST_CASE(a_connection_that_has_lost_its_statements_is_replaced, prepared_fixture)
{
    const db::statement forget{"prepared_test_forget", "DEALLOCATE ALL"};
    BOOST_TEST(ask<std::string>(echo, "x") == "x");
    support::run(io, [&] { return pipeline.run(forget); });
    BOOST_CHECK_EXCEPTION(ask<std::string>(echo, "x"), failure, unavailable);
    await_connection(2);
    BOOST_TEST(ask<std::string>(echo, "y") == "y");
}

BOOST_FIXTURE_TEST_CASE(a_statement_that_others_prepared_is_never_used, prepared_fixture)
{
    const db::statement foreign{"prepared_test_foreign",
                                "PREPARE prepared_test_echo (text) AS SELECT 'not ' || $1"};
    support::run(io, [&] { return pipeline.run(foreign); });
    db::batch first, second;
    first.add(echo, "x");
    second.add(echo, "y");
    auto errors = run_together(pipeline, {std::move(first), std::move(second)});
    BOOST_TEST(failure_in(errors[0]).unavailable());
    BOOST_TEST(failure_in(errors[1]).unavailable());
    await_connection(2);
    BOOST_TEST(ask<std::string>(echo, "y") == "y");
}

BOOST_FIXTURE_TEST_CASE(without_prepare_nothing_is_kept, prepared_fixture)
{
    auto pooled = settings();
    pooled.prepare = false;
    db::pipeline other(io, pooled);
    const db::statement how_many{"prepared_test_how_many",
                                 "SELECT count(*) FROM pg_prepared_statements WHERE name <> ''"};
    BOOST_TEST(ask<std::string>(other, echo, "x") == "x");
    BOOST_TEST(ask<std::int64_t>(other, how_many) == 0);
}

BOOST_FIXTURE_TEST_CASE(the_first_connection_checks_every_statement, prepared_fixture)
{
    const db::statement wrong{"prepared_test_wrong", "SELECT nothing_of_the_kind FROM users"};
    db::pipeline second(io, settings()); // the fixture's was the first
    support::run(io, [&] { return second.ready(); });

    support::database another;
    for (bool prepare : {true, false}) {
        auto elsewhere = settings();
        elsewhere.conninfo = another.conninfo();
        elsewhere.prepare = prepare;
        db::pipeline first(io, elsewhere);
        BOOST_CHECK_EXCEPTION(
            support::run(io, [&] { return first.ready(); }), failure, [](const failure& why) {
                return why.sqlstate() == "42703" &&
                       std::string_view(why.what()).starts_with("statement prepared_test_wrong: ");
            });
    }
}

BOOST_AUTO_TEST_SUITE_END()
