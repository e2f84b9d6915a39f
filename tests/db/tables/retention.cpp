// What goes when its time is over, and what stays.
#include "db/tables/retention.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(retention)

namespace {

struct old_things : house::fixture {
    old_things()
    {
        auto person = "'" + to_string(ada) + "'";
        data.sql("INSERT INTO one_time_tokens (user_id, purpose, digest, email, expires_at) VALUES (" +
                 person + ", 'live', '\\x01', 'x', now() + interval '1 minute'), (" + person +
                 ", 'expired', '\\x02', 'x', now() - interval '1 minute')");
        data.sql(
            "INSERT INTO oauth_codes (digest, sealed, expires_at) VALUES "
            "('\\x01', 'live', now() + interval '1 minute'), ('\\x02', 'old', now() - interval '1 minute')");
        data.sql(
            "INSERT INTO outbox (id, kind, recipient, created_at, failed_at) VALUES "
            "(gen_random_uuid(), 'waiting', 'x', now() - interval '1 year', NULL), "
            "(gen_random_uuid(), 'failed', 'x', now() - interval '1 year', now() - interval '167 hours'), "
            "(gen_random_uuid(), 'old', 'x', now() - interval '1 year', now() - interval '169 hours')");
        data.sql("INSERT INTO known_devices (user_id, agent, seen_at) VALUES (" + person +
                 ", 'known', now() - interval '364 days'), (" + person +
                 ", 'forgotten', now() - interval '367 days')");
    }

    void purge()
    {
        run([&] { return db::purge(one.db); });
    }

    std::string all(const std::string& column, const std::string& table)
    {
        return data.sql("SELECT string_agg(" + column + ", ' ' ORDER BY " + column + ") FROM " + table);
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(only_what_has_outlived_its_use_goes, old_things)
{
    for (int times = 0; times < 2; ++times) {
        purge();
        BOOST_TEST(all("purpose", "one_time_tokens") == "live");
        BOOST_TEST(all("encode(sealed, 'escape')", "oauth_codes") == "live");
        BOOST_TEST(all("kind", "outbox") == "failed waiting");
        BOOST_TEST(all("encode(agent, 'escape')", "known_devices") == "known");
    }
}

BOOST_FIXTURE_TEST_CASE(there_need_not_be_anything, house::fixture)
{
    run([&] { return db::purge(one.db); });
    BOOST_TEST(data.sql("SELECT count(*) FROM users") == "2");
}

BOOST_AUTO_TEST_SUITE_END()
