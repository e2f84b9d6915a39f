// A batch in which all statements succeed may fail at its commit, as for a deferred constraint.
#include "db/postgres/error.hpp"
#include "db/postgres/pool.hpp"
#include "tests/support/database.hpp"
#include "tests/support/io.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <string>

BOOST_AUTO_TEST_SUITE(failed_commit)

using namespace std::chrono_literals;

namespace {

const db::statement insert{"failed_commit_insert", "INSERT INTO mail_drop_totals VALUES ($1, 'x', 0)"};
const db::statement echo{"failed_commit_echo", "SELECT $1::int4"};

struct refusing_database {
    refusing_database()
    {
        support::run(io, [&] { return pool.ready(); });
    }

    /// Commits that insert a row fail with this SQLSTATE: the first ones, up to a number.
    void refuse(const std::string& sqlstate, int commits)
    {
        database.sql("CREATE SEQUENCE failures; CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS "
                     "$$ BEGIN IF nextval('failures') <= " +
                     std::to_string(commits) + " THEN RAISE EXCEPTION 'no' USING ERRCODE = '" + sqlstate +
                     "'; END IF; RETURN NULL; END $$; CREATE CONSTRAINT TRIGGER refuse AFTER INSERT ON "
                     "mail_drop_totals DEFERRABLE INITIALLY DEFERRED FOR EACH ROW EXECUTE FUNCTION refuse()");
    }

    /// A batch of several statements; of three, the first inserts a row.
    db::awaitable<void> run(int number)
    {
        db::batch work;
        if (number % 3 == 0)
            work.add(insert, std::to_string(number));
        work.add(echo, number);
        try {
            auto answers = co_await pool.run(std::move(work));
            answered += answers.last().scalar<int>() == number;
        } catch (const db::failure& why) {
            refused += number % 3 == 0 && why.sqlstate() == "23514" && !why.unavailable();
        }
        --left;
    }

    void run_all(int count)
    {
        left = count;
        for (int number = 0; number < count; ++number)
            boost::asio::co_spawn(io, run(number), [](std::exception_ptr) {});
        io.restart();
        auto until = std::chrono::steady_clock::now() + 30s;
        while (left > 0 && io.run_one_until(until) > 0) {
        }
        BOOST_TEST(left == 0);
    }

    db::pipeline::config settings() const
    {
        db::pipeline::config out;
        out.conninfo = database.conninfo();
        return out;
    }

    support::database database;
    boost::asio::io_context io{1};
    db::pool pool{io, settings(), 1};
    int answered = 0, refused = 0, left = 0;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(it_affects_no_other_batch_of_its_connection, refusing_database)
{
    refuse("23514", 1000);
    run_all(30);
    BOOST_TEST(answered == 20);
    BOOST_TEST(refused == 10);
    BOOST_TEST(database.sql("SELECT count(*) FROM mail_drop_totals") == "0");
}

BOOST_FIXTURE_TEST_CASE(it_is_repeated_after_a_deadlock, refusing_database)
{
    refuse("40P01", 2);
    run_all(30);
    BOOST_TEST(answered == 30);
    BOOST_TEST(pool.retries() > 0u);
    BOOST_TEST(database.sql("SELECT count(*) FROM mail_drop_totals") == "10");
}

BOOST_AUTO_TEST_SUITE_END()
