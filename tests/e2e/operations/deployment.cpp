// compose.yaml and the Kubernetes manifests, checked without a container runtime.
#include "tests/support/database.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/server.hpp"
#include "tests/support/third_party.hpp"

#include <boost/json/array.hpp>
#include <boost/test/unit_test.hpp>

#include <string>

BOOST_AUTO_TEST_SUITE(deployment)

BOOST_AUTO_TEST_CASE(manifests_match_the_schemas_of_their_kinds)
{
    const std::string source = LATCHKEY_SOURCE_DIR;
    support::third_party_server checker("check-manifests", {{"folder", source + "/scripts/deploy/kubernetes"},
                                                            {"compose", source + "/compose.yaml"}});
    for (auto& fault : checker.start().at("faults").as_array())
        BOOST_ERROR(fault.as_string());
    BOOST_TEST(checker.start().at("checked").as_array().size() == 10u);
}

BOOST_AUTO_TEST_CASE(a_node_has_as_many_connections_as_the_guide_says)
{
    support::database db;
    support::running_server server(db.conninfo(),
                                   {{"LATCHKEY_THREADS", "2"}, {"LATCHKEY_DATABASE_CONNECTIONS", "2"}});
    // The connection of the query is not counted.
    auto others = "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> "
                  "pg_backend_pid()";
    BOOST_TEST(support::eventually([&] { return db.sql(others) == "10"; }), db.sql(others));
}

BOOST_AUTO_TEST_SUITE_END()
