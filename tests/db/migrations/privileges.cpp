// The role of statements about one workspace has no privilege on secrets, except those that the statements
// need.
#include "db/postgres/statement.hpp"
#include "tests/support/database.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cstdlib>
#include <string>

BOOST_AUTO_TEST_SUITE(privileges)

namespace {

/// Columns that hold a secret by their name, but not one of an account or a workspace, with what they hold.
const std::string harmless = "'known_devices.agent', " // digest of a user agent
                             "'users.password_version', 'signing_keys.public_jwk', 'nodes.lease_ms'";

/// The privileges of latchkey_workspace on each column with a secret, where it has any.
std::string privileges_on_secrets(const support::database& data)
{
    data.sql("SELECT enable_row_security()");
    return data.sql(R"(
        SELECT string_agg(name || ' ' || privileges, ', ' ORDER BY name)
        FROM (SELECT c.relname || '.' || a.attname AS name, string_agg(privilege, '+') AS privileges
              FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid,
                   unnest('{SELECT,INSERT,UPDATE,REFERENCES}'::text[]) AS privilege
              WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'v', 'p') AND a.attnum > 0
                AND NOT a.attisdropped
                AND a.attname ~ '(password|secret|salt|digest|sealed|token|hash|private|jwk|mac|key$)'
                AND a.attname NOT IN ('aggregate_key')
                AND has_column_privilege('latchkey_workspace', c.oid, a.attnum, privilege)
              GROUP BY 1) AS granted
        WHERE name NOT IN ()" +
                    harmless + ")");
}

int parameters_of(const std::string& sql)
{
    int most = 0;
    for (auto at = sql.find('$'); at != std::string::npos; at = sql.find('$', at + 1))
        most = std::max(most, std::atoi(sql.c_str() + at + 1));
    return most;
}

} // namespace

// A digest of a random token reveals nothing; a resent invite keeps its old one.
BOOST_FIXTURE_TEST_CASE(secrets_are_written_at_most, support::database)
{
    BOOST_TEST(privileges_on_secrets(*this) ==
               "api_keys.digest INSERT, invites.digest SELECT+INSERT+UPDATE, outbox.sealed_token INSERT, "
               "replaced_invite_tokens.digest INSERT");
}

BOOST_FIXTURE_TEST_CASE(privileges_of_an_earlier_version_are_revoked, support::database)
{
    auto expected = privileges_on_secrets(*this);
    sql("GRANT SELECT, INSERT, UPDATE, DELETE ON users, sessions, outbox, pending_signups "
        "TO latchkey_workspace; "
        "GRANT UPDATE (digest) ON api_keys TO latchkey_workspace");
    BOOST_TEST(privileges_on_secrets(*this) == expected);
    for (auto read : {"SELECT password_hash FROM users", "SELECT refresh_salt FROM sessions",
                      "SELECT sealed_token FROM outbox", "SELECT u FROM users u", "TABLE pending_signups",
                      "UPDATE users SET password_hash = ''", "DELETE FROM signing_keys"})
        BOOST_CHECK_THROW(sql(std::string("SET ROLE latchkey_workspace; ") + read), std::runtime_error);
    BOOST_TEST(sql("SET ROLE latchkey_workspace; SELECT count(email) FROM users") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_new_column_is_granted_at_the_next_start, support::database)
{
    sql("SELECT enable_row_security(); ALTER TABLE users ADD nickname text, ADD recovery_secret text; "
        "SELECT enable_row_security()");
    BOOST_TEST(sql("SET ROLE latchkey_workspace; SELECT count(nickname) FROM users") == "0");
    // Its name alone does not protect it: the first test of this suite would fail.
    BOOST_TEST(privileges_on_secrets(*this).find("users.recovery_secret") != std::string::npos);
}

// EXPLAIN checks the privileges of a statement, though not of the functions that it calls.
BOOST_FIXTURE_TEST_CASE(no_statement_about_one_workspace_lacks_a_privilege, support::database)
{
    BOOST_TEST(sql("SELECT enable_row_security()") == "t");
    int checked = 0;
    for (auto one = db::statement::first(); one; one = one->next()) {
        if (one->touched() != db::rows::of_one_workspace)
            continue;
        std::string arguments;
        for (int i = 0; i < parameters_of(one->sql()); ++i)
            arguments += i == 0 ? "(NULL" : ", NULL";
        std::string explain = "BEGIN; SET LOCAL ROLE latchkey_workspace; SET LOCAL plan_cache_mode = "
                              "force_generic_plan; PREPARE it AS ";
        explain += one->sql();
        explain += "; EXPLAIN EXECUTE it" + arguments + (arguments.empty() ? "" : ")");
        BOOST_CHECK_NO_THROW(sql(explain));
        ++checked;
    }
    BOOST_TEST(checked > 40);
}

BOOST_AUTO_TEST_SUITE_END()
