// A database of an older version: `latchkey migrate`, and programs that do not fit it.
#include "db/migrations/migrations.hpp"
#include "tests/e2e/support/account_fixture.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/database.hpp"

#include <unistd.h>

#include <string>
#include <vector>

using namespace e2e;

namespace {

struct old_database {
    const std::string name = "schema_migration";
    std::string conninfo = support::shared_cluster().conninfo(name);

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
};

const std::string first = "00000000-0000-7000-8000-000000000001",
                  second = "00000000-0000-7000-8000-000000000002";

} // namespace

BOOST_AUTO_TEST_SUITE(schema_migration)

BOOST_FIXTURE_TEST_CASE(addresses_are_normalized_and_collisions_reported_by_id, old_database)
{
    support::sql(conninfo, "INSERT INTO users (id, email, email_normalized) VALUES ('" + first +
                               "', 'Jos\u00c9@b\u00fccher.example', 'jos\u00c9@b\u00fccher.example')");
    support::sql(conninfo, "INSERT INTO users (id, email, email_normalized) VALUES ('" + second +
                               "', 'jose\u0301@xn--bcher-kva.example', 'jose\u0301@xn--bcher-kva.example')");
    support::environment settings{{"LATCHKEY_DATABASE_URL", conninfo},
                                  {"LATCHKEY_MASTER_KEY", support::random_master_key()}};
    support::child_process program({support::program_path(), "migrate"}, settings, STDOUT_FILENO);
    BOOST_TEST((program.wait() == 0));
    auto output = program.output();
    BOOST_TEST(output.find("same email address: kept by " + first + ", released by " + second + "\n") !=
                   output.npos,
               output);
    BOOST_TEST(output.find("example") == output.npos, output);
    BOOST_TEST(support::sql(conninfo, "SELECT string_agg(email_normalized, ' ' ORDER BY id) FROM users") ==
               "jos\u00e9@xn--bcher-kva.example released/" + second);
}

// Statements are prepared when they are first used, and checked before the program serves.
BOOST_FIXTURE_TEST_CASE(a_program_that_does_not_fit_the_schema_names_a_statement_and_ends, old_database)
{
    const std::vector<std::vector<std::string>> commands{{"serve"}, {"keys", "rotate"}};
    for (std::string prepared : {"true", "false"})
        for (auto command : commands) {
            support::environment settings{{"LATCHKEY_DATABASE_URL", conninfo},
                                          {"LATCHKEY_LISTEN", "127.0.0.1:0"},
                                          {"LATCHKEY_MIGRATE", "false"},
                                          {"LATCHKEY_PREPARED_STATEMENTS", prepared},
                                          {"LATCHKEY_MASTER_KEY", support::random_master_key()}};
            command.insert(command.begin(), support::program_path());
            support::child_process program(command, settings, STDERR_FILENO);
            BOOST_TEST((program.wait() == 1));
            auto output = program.output();
            BOOST_TEST(output.find("latchkey: statement ") != output.npos, output);
            BOOST_TEST(output.find("does not exist") != output.npos, output);
        }
}

BOOST_AUTO_TEST_SUITE_END()
