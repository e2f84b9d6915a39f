// Retention: expired rows are purged, all others stay.
#include "db/tables/retention.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(retention)

namespace {

struct expired_rows : db::test::database_fixture {
    expired_rows()
    {
        auto user = "'" + to_string(ada) + "'";
        data.sql("INSERT INTO one_time_tokens (user_id, purpose, digest, email, expires_at) VALUES (" + user +
                 ", 'live', '\\x01', 'x', now() + interval '1 minute'), (" + user +
                 ", 'expired', '\\x02', 'x', now() - interval '1 minute')");
        data.sql(
            "INSERT INTO oauth_codes (digest, sealed, expires_at) VALUES "
            "('\\x01', 'live', now() + interval '1 minute'), ('\\x02', 'old', now() - interval '1 minute')");
        data.sql(
            "INSERT INTO outbox (id, kind, recipient, created_at, failed_at) VALUES "
            "(gen_random_uuid(), 'verify', 'x', now() - interval '1 year', NULL), "
            "(gen_random_uuid(), 'reset', 'x', now() - interval '1 year', now() - interval '167 hours'), "
            "(gen_random_uuid(), 'email_change', 'x', now() - interval '1 year', "
            "now() - interval '169 hours')");
        data.sql("INSERT INTO mail_sent (subject, budget, at) VALUES "
                 "('a', 'counted', now() - interval '59 minutes'), "
                 "('a', 'old', now() - interval '61 minutes'); "
                 "INSERT INTO mail_hours VALUES ('counted', now() - interval '1 hour', 1), "
                 "('old', now() - interval '25 hours', 1)");
        data.sql("INSERT INTO known_devices (user_id, agent, seen_at) VALUES (" + user +
                 ", 'known', now() - interval '364 days'), (" + user +
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

BOOST_FIXTURE_TEST_CASE(only_expired_rows_are_purged, expired_rows)
{
    for (int times = 0; times < 2; ++times) {
        purge();
        BOOST_TEST(all("purpose", "one_time_tokens") == "live");
        BOOST_TEST(all("encode(sealed, 'escape')", "oauth_codes") == "live");
        BOOST_TEST(all("kind", "outbox") == "reset verify");
        BOOST_TEST(data.sql("SELECT count(*) FROM mail_sent WHERE budget = 'old'") == "0");
        BOOST_TEST(data.sql("SELECT count(*) FROM mail_sent WHERE budget = 'counted'") == "1");
        BOOST_TEST(all("counter", "mail_hours WHERE counter IN ('old', 'counted')") == "counted");
        BOOST_TEST(all("encode(agent, 'escape')", "known_devices") == "known");
    }
}

BOOST_FIXTURE_TEST_CASE(an_empty_purge_succeeds, db::test::database_fixture)
{
    run([&] { return db::purge(one.db); });
    BOOST_TEST(data.sql("SELECT count(*) FROM users") == "2");
}

BOOST_AUTO_TEST_SUITE_END()
