// Batches that PostgreSQL rolls back for what another transaction does are repeated, a few times.
#include "db/postgres/error.hpp"
#include "db/postgres/pool.hpp"
#include "tests/support/database.hpp"
#include "tests/support/io.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(retries)

using namespace std::chrono_literals;

namespace {

const db::statement add_one{"retries_test_add",
                            "UPDATE mail_drop_totals SET total = total + 1 WHERE kind = $1 RETURNING total"};
const db::statement nap{"retries_test_nap", "SELECT pg_sleep($1::float8)"};

struct retries_fixture {
    support::database database;
    boost::asio::io_context io{1};
    db::pool pool{io, settings(), 2};

    db::pipeline::config settings()
    {
        db::pipeline::config made;
        made.conninfo = database.conninfo();
        made.connect_timeout = made.queue_timeout = made.deadline = 20s; // not a test of speed
        return made;
    }

    retries_fixture()
    {
        database.sql("INSERT INTO mail_drop_totals VALUES ('a', 'x', 0), ('b', 'x', 0)");
        support::run(io, [&] { return pool.ready(); });
    }

    /// The next transactions that change a total fail with this SQLSTATE.
    void fail_next(int transactions, const std::string& sqlstate)
    {
        database.sql(
            "CREATE SEQUENCE failures; CREATE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN IF nextval('failures') <= " +
            std::to_string(transactions) + " THEN RAISE EXCEPTION 'forced' USING ERRCODE = '" + sqlstate +
            "'; END IF; RETURN NEW; END $$; CREATE TRIGGER fail_first BEFORE UPDATE ON "
            "mail_drop_totals FOR EACH ROW EXECUTE FUNCTION fail_first()");
    }

    std::string total(const std::string& kind)
    {
        return database.sql("SELECT total FROM mail_drop_totals WHERE kind = '" + kind + "'");
    }

    db::batch increments(const std::string& first, const std::string& second)
    {
        db::batch out;
        out.add(add_one, first).add(nap, 0.2).add(add_one, second);
        return out;
    }

    /// The SQLSTATE of the failure of a batch; empty if it succeeds.
    std::string failure_of(db::batch work)
    {
        std::string out;
        support::run(io, [&]() -> db::awaitable<void> {
            try {
                co_await pool.run(std::move(work));
            } catch (const db::failure& e) {
                out = e.sqlstate();
            }
        });
        return out;
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(two_deadlocked_batches_both_succeed, retries_fixture)
{
    int done = 0;
    auto run = [&](db::batch work) -> db::awaitable<void> {
        auto answers = co_await pool.run(std::move(work));
        BOOST_TEST(answers.size() == 3u);
        ++done;
    };
    boost::asio::co_spawn(io, run(increments("a", "b")), boost::asio::detached);
    boost::asio::co_spawn(io, run(increments("b", "a")), boost::asio::detached);
    auto until = std::chrono::steady_clock::now() + 20s;
    while (done < 2 && std::chrono::steady_clock::now() < until)
        io.run_one_for(100ms);
    BOOST_TEST(done == 2);
    BOOST_TEST(pool.retries() == 1u);
    BOOST_TEST(total("a") == "2");
    BOOST_TEST(total("b") == "2");
}

BOOST_FIXTURE_TEST_CASE(the_third_attempt_succeeds_and_takes_effect_once, retries_fixture)
{
    for (auto sqlstate : {"40P01", "40001"}) {
        database.sql("DROP FUNCTION IF EXISTS fail_first CASCADE; DROP SEQUENCE IF EXISTS failures");
        auto before = std::stoi(total("b"));
        auto repeated = pool.retries();
        fail_next(2, sqlstate);
        BOOST_TEST(failure_of(increments("a", "b")) == "");
        BOOST_TEST(pool.retries() == repeated + 2);
        BOOST_TEST(std::stoi(total("b")) == before + 1);
        BOOST_TEST(pool.in_flight() == 0u);
    }
}

BOOST_FIXTURE_TEST_CASE(after_three_attempts_the_failure_is_reported, retries_fixture)
{
    fail_next(3, "40P01");
    BOOST_TEST(failure_of(increments("a", "b")) == "40P01");
    BOOST_TEST(pool.retries() == 2u);
    BOOST_TEST(total("a") == "0");
}

BOOST_FIXTURE_TEST_CASE(other_failures_are_not_repeated, retries_fixture)
{
    fail_next(1, "23514");
    BOOST_TEST(failure_of(increments("a", "b")) == "23514");
    BOOST_TEST(pool.retries() == 0u);
}

BOOST_FIXTURE_TEST_CASE(closing_ends_a_batch_that_waits_for_its_next_attempt, retries_fixture)
{
    fail_next(3, "40P01");
    bool done = false;
    auto run = [&]() -> db::awaitable<void> {
        try {
            co_await pool.run(add_one, std::string("a"));
        } catch (const db::failure&) {
        }
        done = true;
    };
    boost::asio::co_spawn(io, run(), boost::asio::detached);
    auto until = std::chrono::steady_clock::now() + 20s;
    while (pool.retries() == 0 && std::chrono::steady_clock::now() < until)
        io.run_one_for(100ms);
    support::run(io, [&] { return pool.close(); });
    io.restart();
    io.run_for(10ms);
    BOOST_TEST(done);
    BOOST_TEST(pool.in_flight() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
