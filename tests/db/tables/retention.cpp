// Retention: expired rows are purged, all others stay.
#include "db/tables/retention.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <libpq-fe.h>

#include <algorithm>
#include <map>
#include <memory>
#include <sstream>
#include <vector>

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
        data.sql("INSERT INTO oauth_spent_states VALUES ('live', now() + interval '1 minute'), "
                 "('old', now() - interval '1 minute')");
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
        db::retention sweep(one.db, {});
        run([&] { return sweep.run_to_completion(); });
        data.sql("UPDATE retention_sweeps SET next_at = now()");
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
        BOOST_TEST(all("encode(digest, 'escape')", "oauth_spent_states") == "live");
        BOOST_TEST(all("kind", "outbox") == "reset verify");
        BOOST_TEST(data.sql("SELECT count(*) FROM mail_sent WHERE budget = 'old'") == "0");
        BOOST_TEST(data.sql("SELECT count(*) FROM mail_sent WHERE budget = 'counted'") == "1");
        BOOST_TEST(all("counter", "mail_hours WHERE counter IN ('old', 'counted')") == "counted");
        BOOST_TEST(all("encode(agent, 'escape')", "known_devices") == "known");
    }
}

BOOST_FIXTURE_TEST_CASE(ended_credentials_are_kept_for_their_retention, expired_rows)
{
    const auto ids = [&](const std::string& table) { return data.sql("SELECT count(*) FROM " + table); };
    auto kept = add_key(bob), revoked = add_key(bob), expired = add_key(bob), recent = add_key(bob);
    auto where = [](const db::test::key& key) { return " WHERE id = '" + to_string(key.id) + "'"; };
    data.sql("UPDATE api_keys SET revoked_at = now() - interval '91 days'" + where(revoked));
    data.sql("UPDATE api_keys SET expires_at = now() - interval '91 days'" + where(expired));
    data.sql("UPDATE api_keys SET revoked_at = now() - interval '89 days'" + where(recent));
    data.sql(
        "INSERT INTO sessions (id, user_id, refresh_salt, refreshed_ip, refreshed_agent, ip, user_agent, "
        "expires_at, revoked_at) SELECT gen_random_uuid(), '" +
        to_string(ada) +
        "', '', '', '', '', '', now() + e.age, now() + r.age "
        "FROM (VALUES (interval '-31 days'), ('-29 days'), ('1 day')) AS e (age), "
        "(VALUES (interval '-31 days'), ('-29 days'), (NULL)) AS r (age)");
    data.sql("INSERT INTO audit (id, action, ip, user_agent, request_id, at) VALUES "
             "(gen_random_uuid(), 'old', '', '', '', now() - interval '731 days'), "
             "(gen_random_uuid(), 'kept', '', '', '', now() - interval '729 days')");
    auto before = std::stoi(ids("sessions"));
    purge();
    BOOST_TEST(ids("api_keys" + where(kept)) == "1");
    BOOST_TEST(ids("api_keys" + where(recent)) == "1");
    BOOST_TEST(ids("api_keys" + where(revoked)) == "0");
    BOOST_TEST(ids("api_keys" + where(expired)) == "0");
    BOOST_TEST(std::stoi(ids("sessions")) == before - 5);
    BOOST_TEST(ids("sessions WHERE expires_at < now() - interval '30 days' OR revoked_at < now() - "
                   "interval '30 days'") == "0");
    BOOST_TEST(ids("audit WHERE action IN ('old', 'kept')") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_backlog_is_deleted_in_slices, expired_rows)
{
    // Each in a transaction of its own, so that a failure keeps what is done.
    data.sql(
        "INSERT INTO mail_hours (hour, counter, first_number) SELECT now() - interval '2 days', i::text, 1 "
        "FROM generate_series(1, 30000) AS i");
    auto left = [&] {
        return std::stoi(data.sql("SELECT count(*) FROM mail_hours WHERE hour < now() - interval '1 day'"));
    };
    db::retention sweep(one.db, {});
    std::vector<int> counts{left()};
    while (support::run(one.io, [&] { return sweep.step(); }))
        counts.push_back(left());
    BOOST_TEST(counts.back() == 0);
    auto slices = counts.size();
    BOOST_TEST(slices > 3u);
    for (std::size_t i = 1; i < slices; ++i)
        BOOST_TEST(counts[i - 1] - counts[i] < 15000);
    BOOST_TEST(sweep.deleted() >= 30000u);
}

BOOST_FIXTURE_TEST_CASE(one_node_sweeps_a_table_and_another_goes_on_after_it, expired_rows)
{
    data.sql(
        "INSERT INTO mail_hours (hour, counter, first_number) SELECT now() - interval '2 days', i::text, 1 "
        "FROM generate_series(1, 30000) AS i");
    db::retention first(one.db, {}), second(one.db, {});
    BOOST_TEST(support::run(one.io, [&] { return first.step(); }));
    BOOST_TEST(!support::run(one.io, [&] { return second.step(); }));
    auto begun = data.sql("SELECT next_block FROM retention_sweeps WHERE table_name = 'mail_hours'");
    BOOST_TEST(std::stoi(begun) > 0);
    // The first node hangs, and its claim runs out.
    data.sql("UPDATE retention_sweeps SET next_at = now()");
    BOOST_TEST(support::run(one.io, [&] { return second.step(); }));
    BOOST_TEST(
        std::stoi(data.sql("SELECT next_block FROM retention_sweeps WHERE table_name = 'mail_hours'")) >
        std::stoi(begun));
    auto before = second.deleted();
    support::run(one.io, [&] { return first.run_to_completion(); }); // has lost its claims
    support::run(one.io, [&] { return second.run_to_completion(); });
    BOOST_TEST(second.deleted() > before);
    BOOST_TEST(data.sql("SELECT count(*) FROM mail_hours WHERE hour < now() - interval '1 day'") == "0");
}

// Most calls find nothing to do: they must not cost a transaction that has to reach the disk.
BOOST_FIXTURE_TEST_CASE(a_step_without_due_tables_writes_nothing, expired_rows)
{
    db::retention sweep(one.db, {});
    support::run(one.io, [&] { return sweep.run_to_completion(); });
    auto versions = [&] {
        return data.sql("SELECT string_agg(concat_ws(' ', table_name, ctid, xmin, xmax), ', ') "
                        "FROM retention_sweeps");
    };
    auto before = versions();
    BOOST_TEST(!support::run(one.io, [&] { return sweep.step(); }));
    BOOST_TEST(versions() == before);
}

BOOST_FIXTURE_TEST_CASE(rows_locked_by_others_are_skipped, expired_rows)
{
    std::unique_ptr<PGconn, decltype(&PQfinish)> other(PQconnectdb(data.conninfo().c_str()), &PQfinish);
    auto execute = [&](const char* statement) { PQclear(PQexec(other.get(), statement)); };
    execute("BEGIN; SELECT FROM one_time_tokens FOR UPDATE");
    purge();
    BOOST_TEST(all("purpose", "one_time_tokens") == "expired live");
    execute("COMMIT");
    purge();
    BOOST_TEST(all("purpose", "one_time_tokens") == "live");
}

// A table added later needs a rule, or a reason for none.
BOOST_FIXTURE_TEST_CASE(every_table_has_a_rule_or_cannot_grow_by_itself, db::test::database_fixture)
{
    const std::map<std::string, std::string> without{{"users", "accounts"},
                                                     {"workspaces", "accounts"},
                                                     {"memberships", "accounts"},
                                                     {"avatars", "one for a user"},
                                                     {"join_requests", "one for a user"},
                                                     {"api_key_principals", "deleted with the key"},
                                                     {"oauth_grants", "logins of a user"},
                                                     {"replaced_invite_tokens", "deleted with the invite"},
                                                     {"oauth_revocations", "given up after a week"},
                                                     {"signing_keys", "deleted by rotation"},
                                                     {"nodes", "deleted by the other nodes"},
                                                     {"mail_kinds", "constant"},
                                                     {"mail_limits", "one row"},
                                                     {"mail_drops", "added to the totals"},
                                                     {"mail_drop_totals", "one row for a kind"},
                                                     {"retention_sweeps", "one row for a table"},
                                                     {"schema_migrations", "one row for a migration"}};
    auto swept = db::retention::tables();
    std::istringstream tables(data.sql("SELECT string_agg(tablename, ' ') FROM pg_tables "
                                       "WHERE schemaname = 'public'"));
    std::size_t count = 0;
    for (std::string table; tables >> table; ++count)
        BOOST_TEST((std::ranges::count(swept, table) + without.contains(table)) == 1, table);
    BOOST_TEST(count > 20u);
}

BOOST_AUTO_TEST_SUITE_END()
