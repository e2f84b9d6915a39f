// The signing_keys table: concurrent creation and rotation.
#include "db/tables/signing_keys.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(signing_keys)

using db::test::from_now;

static db::signing_keys::draft draft(std::string kid, std::string algorithm = "ES256")
{
    return {std::move(kid), std::move(algorithm), "{}", {1, 2, 3}};
}

BOOST_FIXTURE_TEST_CASE(of_concurrent_processes_one_creates_the_key, db::test::database_fixture)
{
    db::test::core two(data, changes);
    std::vector<std::string> seen;
    auto start = [&](db::pool& db, std::string kid) -> db::awaitable<void> {
        auto first = draft(std::move(kid));
        auto keys = co_await db::signing_keys::ensure(db, std::move(first));
        BOOST_TEST(keys.size() == 1u);
        seen.push_back(keys.at(0).kid);
    };
    for (int i = 0; i < 6; ++i)
        boost::asio::co_spawn(one.io, start(one.db, "k" + std::to_string(i)), boost::asio::detached);
    while (seen.size() < 6)
        one.io.run_one();
    for (const auto& kid : seen)
        BOOST_TEST(kid == seen.front());

    auto both = run([&] { return db::signing_keys::ensure(one.db, draft("e1", "EdDSA")); });
    BOOST_TEST(both.size() == 2u);
    BOOST_TEST(both[1].sealed_key.size() == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_rotation_publishes_the_key_before_use_and_retires_its_predecessor,
                        db::test::database_fixture)
{
    run([&] { return db::signing_keys::ensure(one.db, draft("a")); });
    auto starts = from_now(std::chrono::minutes(10)), ends = from_now(std::chrono::hours(2));
    auto keys = run([&] { return db::signing_keys::rotate(one.db, draft("b"), starts, ends); });
    BOOST_REQUIRE(keys.size() == 2u);
    BOOST_TEST(keys[0].kid == "b");
    BOOST_TEST((keys[0].signs_from == starts));
    BOOST_TEST((keys[1].retires_at == ends));

    data.sql("UPDATE signing_keys SET retires_at = now() WHERE kid = 'a'");
    BOOST_TEST(run([&] { return db::signing_keys::list(one.db); }).size() == 1u);
}

BOOST_AUTO_TEST_SUITE_END()
