// Migration 0010: normalized addresses and domains are renewed, and collisions resolved without merging
// accounts.
#include "db/migrations/renew_normalized.hpp"

#include "db/migrations/migrations.hpp"
#include "db/postgres/error.hpp"
#include "tests/support/database.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <string>
#include <vector>

BOOST_AUTO_TEST_SUITE(renew_normalized)

namespace {

std::string replace_all(std::string text, std::string_view from, std::string_view to)
{
    for (std::size_t at = 0; (at = text.find(from, at)) != text.npos; at += to.size())
        text.replace(at, from.size(), to);
    return text;
}

/// Stands in for the normalization of the schemas, which this folder does not include.
std::string normalize(std::string_view text)
{
    std::string out(text);
    std::transform(out.begin(), out.end(), out.begin(),
                   [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
    out = replace_all(replace_all(out, "u\u0308", "\u00fc"), "\u00dc", "\u00fc");
    return replace_all(out, "b\u00fccher.", "xn--bcher-kva.");
}

/// A database as the migrations before 0010 leave it.
struct old_database {
    std::string name = "renew_normalized_" + std::to_string(++made);
    std::string conninfo = support::shared_cluster().conninfo(name);
    inline static int made = 0;

    old_database()
    {
        support::sql(support::shared_cluster().conninfo(), "CREATE DATABASE " + name);
        std::vector<db::migration> before;
        for (const auto& each : db::embedded_migrations())
            if (each.name < "0010")
                before.push_back(each);
        db::migrate(conninfo, before);
    }
    ~old_database() { support::shared_cluster().drop_database(name); }

    std::string sql(const std::string& statements) const { return support::sql(conninfo, statements); }

    static std::string id(int number)
    {
        return "00000000-0000-7000-8000-0000000000" + std::to_string(10 + number);
    }

    /// A user as an older version stored it; later numbers are younger.
    void add_user(int number, const std::string& email, const std::string& rest = "")
    {
        auto normalized =
            "translate('" + email + "', 'ABCDEFGHIJKLMNOPQRSTUVWXYZ', 'abcdefghijklmnopqrstuvwxyz')";
        sql("INSERT INTO users (id, email, email_normalized, created_at) VALUES ('" + id(number) + "', '" +
            email + "', " + normalized + ", timestamptz '2026-01-01' + interval '1 day' * " +
            std::to_string(number) + ")");
        if (!rest.empty())
            sql("UPDATE users SET " + rest + " WHERE id = '" + id(number) + "'");
    }

    db::migration_report migrate()
    {
        db::text_normalizers normalizers;
        normalizers.email = normalizers.domain = &normalize;
        return db::migrate(conninfo, db::embedded_migrations(), normalizers);
    }

    std::string normalized(int number) const
    {
        return sql("SELECT email_normalized FROM users WHERE id = '" + id(number) + "'");
    }
    std::string released(int number) const { return "released/" + id(number); }
};

std::vector<std::string> lines(const db::migration_report& report)
{
    std::vector<std::string> out;
    for (const auto& each : report.address_collisions)
        out.push_back(each.kept_by.substr(34) + " keeps what " + each.released_by.substr(34) + " releases");
    return out;
}

} // namespace

BOOST_FIXTURE_TEST_CASE(addresses_and_domains_are_renewed, old_database)
{
    add_user(1, "Ada@Example.org");
    add_user(2, "Bob@B\u00fccher.example");
    add_user(3, "eve@bu\u0308cher.example");
    add_user(4, "mel@b\u00dccher.example", "email_normalized = 'released/' || id, disabled_at = now()");
    add_user(5, "Kim@Example.org", "email_normalized = 'released/' || id, disabled_at = now()");
    add_user(6, "quote''s@\"\\b\u00fccher.example");
    sql("INSERT INTO workspaces (id, name, owner_id, join_domain) SELECT id, 'w', id, 'b\u00fccher.example' "
        "FROM users WHERE id = '" +
        id(1) + "'");
    BOOST_TEST(migrate().address_collisions.empty());
    BOOST_TEST(normalized(1) == "ada@example.org");
    BOOST_TEST(normalized(2) == "bob@xn--bcher-kva.example");
    BOOST_TEST(normalized(3) == "eve@xn--bcher-kva.example");
    BOOST_TEST(normalized(4) == released(4));
    BOOST_TEST(normalized(6) == "quote's@\"\\xn--bcher-kva.example");
    BOOST_TEST(sql("SELECT email FROM users WHERE id = '" + id(2) + "'") == "Bob@B\u00fccher.example");
    BOOST_TEST(sql("SELECT string_agg(released_email, ' ' ORDER BY id) FROM users") ==
               "mel@xn--bcher-kva.example kim@example.org");
    BOOST_TEST(sql("SELECT join_domain FROM workspaces") == "xn--bcher-kva.example");
    BOOST_TEST(sql("SELECT to_regclass('renewed_forms') IS NULL") == "t");
}

BOOST_FIXTURE_TEST_CASE(one_account_keeps_a_shared_address_and_none_are_merged, old_database)
{
    add_user(1, "a@b\u00fccher.example");
    add_user(2, "a@xn--bcher-kva.example"); // younger
    add_user(3, "b@b\u00fccher.example");
    add_user(4, "b@xn--bcher-kva.example", "email_verified_at = now()"); // verified
    add_user(5, "c@xn--bcher-kva.example", "email_verified_at = now(), disabled_at = now()");
    add_user(6, "c@bu\u0308cher.example", "email_verified_at = now()"); // not disabled
    add_user(7, "c@b\u00fccher.example", "email_verified_at = now()");  // three of one mailbox
    sql("INSERT INTO oauth_grants (provider, subject, user_id, email, sealed_tokens) "
        "SELECT 'google', 's', '" +
        id(2) + "', 'a', ''");
    BOOST_TEST(lines(migrate()) ==
                   (std::vector<std::string>{"11 keeps what 12 releases", "14 keeps what 13 releases",
                                             "16 keeps what 15 releases", "16 keeps what 17 releases"}),
               boost::test_tools::per_element());
    BOOST_TEST(normalized(1) == "a@xn--bcher-kva.example");
    BOOST_TEST(normalized(4) == "b@xn--bcher-kva.example");
    BOOST_TEST(normalized(6) == "c@xn--bcher-kva.example");
    for (int number : {2, 3, 5, 7})
        BOOST_TEST(normalized(number) == released(number));
    BOOST_TEST(sql("SELECT count(*) FROM users WHERE released_email ~ '^[abc]@xn--bcher-kva.example$'") ==
               "4");
    BOOST_TEST(sql("SELECT count(*) FROM users WHERE disabled_at IS NOT NULL") == "1");
    BOOST_TEST(sql("SELECT user_id FROM oauth_grants") == id(2));
    BOOST_TEST(sql("SELECT email FROM users WHERE id = '" + id(2) + "'") == "a@xn--bcher-kva.example");
}

BOOST_FIXTURE_TEST_CASE(the_last_sent_of_several_open_invites_stays_open, old_database)
{
    add_user(1, "ada@example.org");
    sql("INSERT INTO workspaces (id, name, owner_id) SELECT id, 'w', id FROM users");
    auto invite = [&](int number, const std::string& email, const std::string& cancelled_at = "NULL") {
        sql("INSERT INTO invites (id, workspace_id, email, email_normalized, role, digest, sent_at, "
            "expires_at, cancelled_at) VALUES ('" +
            id(number) + "', '" + id(1) + "', '" + email + "', '" + email + "', 'member', '" +
            std::to_string(number) + "', timestamptz '2026-01-01' + interval '1 day' * " +
            std::to_string(number) + ", now() + interval '1 day', " + cancelled_at + ")");
    };
    invite(1, "eve@b\u00fccher.example", "now()");
    invite(2, "eve@b\u00fccher.example");
    invite(3, "eve@xn--bcher-kva.example");
    invite(4, "bob@b\u00fccher.example");
    migrate();
    BOOST_TEST(
        sql("SELECT string_agg(email_normalized, ' ' ORDER BY id) FROM invites WHERE cancelled_at IS NULL") ==
        "eve@xn--bcher-kva.example bob@xn--bcher-kva.example");
    BOOST_TEST(
        sql("SELECT count(*) FROM invites WHERE email_normalized NOT LIKE '%@xn--bcher-kva.example'") == "0");
}

BOOST_FIXTURE_TEST_CASE(many_rows_are_read_in_batches, old_database)
{
    sql("INSERT INTO users (id, email, email_normalized) "
        "SELECT gen_random_uuid(), n || '@B\u00fccher.example', n || '@b\u00fccher.example' "
        "FROM generate_series(1, 2500) AS n");
    migrate();
    BOOST_TEST(sql("SELECT count(DISTINCT email_normalized) FROM users "
                   "WHERE email_normalized LIKE '%@xn--bcher-kva.example'") == "2500");
}

BOOST_FIXTURE_TEST_CASE(without_normalizers_nothing_is_changed, old_database)
{
    add_user(1, "ada@example.org");
    add_user(2, "ada@b\u00fccher.example");
    BOOST_CHECK_THROW(db::migrate(conninfo), db::failure);
    BOOST_TEST(normalized(2) == "ada@b\u00fccher.example");
    BOOST_TEST(sql("SELECT count(*) FROM schema_migrations WHERE name >= '0010'") == "0");
    BOOST_TEST(!migrate().applied.empty());
    BOOST_TEST(normalized(2) == "ada@xn--bcher-kva.example");
}

BOOST_FIXTURE_TEST_CASE(a_released_address_is_remembered_until_another_is_set, old_database)
{
    add_user(1, "ada@example.org");
    migrate();
    auto remembered = [&] { return sql("SELECT coalesce(released_email, 'none') FROM users"); };
    BOOST_TEST(remembered() == "none");
    sql("UPDATE users SET email_normalized = 'released/' || id");
    BOOST_TEST(remembered() == "ada@example.org");
    sql("UPDATE users SET email_normalized = 'released/' || id");
    BOOST_TEST(remembered() == "ada@example.org");
    sql("UPDATE users SET email_normalized = 'ada@new.example'");
    BOOST_TEST(remembered() == "none");
}

BOOST_AUTO_TEST_SUITE_END()
