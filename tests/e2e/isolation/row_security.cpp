// A server that may not make roles: it serves all the same, says what is missing, and has it once an operator
// gives it.
#include "tests/e2e/support/members.hpp"

using namespace flows;

namespace {

struct tenant {
    tenant()
    {
        support::sql(cluster.conninfo(), "CREATE ROLE tenant LOGIN");
        support::sql(cluster.conninfo(), "CREATE DATABASE tenant OWNER tenant");
        url = cluster.conninfo("tenant");
        url.replace(url.find("user=latchkey"), std::string::npos, "user=tenant");
    }

    /// Serve, and let somebody sign up, mint a key, list it and look at the audit trail.
    std::string live(const std::string& email)
    {
        support::running_server server(url, {{"LATCHKEY_MASTER_KEY", key}});
        support::http_client client(server.port());
        auto who = sign_up(client, email);
        auto minted = client.post(base + "/api-keys", R"({"name":"k"})", who.token);
        BOOST_TEST(minted.status == 201u, minted.body);
        auto keys = client.get(base + "/api-keys", who.token);
        BOOST_TEST(keys.text("/items/0/name") == "k");
        auto events = client.get(base + "/audit", who.token);
        BOOST_TEST(events.text("/items/0/action") == "api_key.mint");
        BOOST_TEST(server.stop() == 0);
        return server.log();
    }

    support::postgres_cluster cluster;
    std::string url, key = support::random_master_key();
};

bool complains(const std::string& log)
{
    return log.find("no row security between workspaces") != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(row_security)

BOOST_FIXTURE_TEST_CASE(without_the_role_the_server_serves_and_says_so, tenant)
{
    auto log = live("ada@example.com");
    BOOST_TEST(complains(log), log);
    BOOST_TEST(log.find("CREATE ROLE latchkey_workspace NOLOGIN") != std::string::npos);

    support::sql(cluster.conninfo(),
                 "CREATE ROLE latchkey_workspace NOLOGIN; GRANT latchkey_workspace TO tenant");
    log = live("eve@example.com");
    BOOST_TEST(!complains(log), log);
}

BOOST_FIXTURE_TEST_CASE(with_it_nothing_needs_saying, signed_up)
{
    BOOST_TEST(!complains(server.log()));
}

BOOST_AUTO_TEST_SUITE_END()
