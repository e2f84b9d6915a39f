// `latchkey migrate` on a database of an older version, with accounts that turn out to have the same address.
#include "db/migrations/migrations.hpp"
#include "tests/e2e/support/account_fixture.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/support/child_process.hpp"
#include "tests/support/postgres.hpp"

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

BOOST_AUTO_TEST_SUITE_END()
