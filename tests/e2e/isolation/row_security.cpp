// Row-level security when the database user cannot create roles: the server runs without it, logs a warning
// with the missing statements, and enables it once an operator has executed them.
#include "tests/e2e/support/members.hpp"

using namespace e2e;

namespace {

struct restricted_role_fixture {
    restricted_role_fixture()
    {
        support::sql(cluster.conninfo(), "CREATE ROLE tenant LOGIN");
        support::sql(cluster.conninfo(), "CREATE DATABASE tenant OWNER tenant");
        url = cluster.conninfo("tenant");
        url.replace(url.find("user=latchkey"), std::string::npos, "user=tenant");
    }

    /// Run a server; sign up, mint a key, list it and read the audit events. @return the log
    std::string run_server(const std::string& email)
    {
        support::running_server server(url, {{"LATCHKEY_MASTER_KEY", key}});
        support::http_client client(server.port());
        auto user = sign_up(client, email);
        auto minted = client.post(base + "/api-keys", R"({"name":"k"})", user.token);
        BOOST_TEST(minted.status == 201u, minted.body);
        auto keys = client.get(base + "/api-keys", user.token);
        BOOST_TEST(keys.text("/items/0/name") == "k");
        auto events = client.get(base + "/audit", user.token);
        BOOST_TEST(events.text("/items/0/action") == "api_key.mint");
        BOOST_TEST(server.stop() == 0);
        return server.log();
    }

    support::postgres_cluster cluster;
    std::string url, key = support::random_master_key();
};

bool has_warning(const std::string& log)
{
    return log.find("row-level security disabled") != std::string::npos;
}

} // namespace

BOOST_AUTO_TEST_SUITE(row_security)

BOOST_FIXTURE_TEST_CASE(without_the_role_the_server_runs_and_logs_a_warning, restricted_role_fixture)
{
    auto log = run_server("ada@example.com");
    BOOST_TEST(has_warning(log), log);
    BOOST_TEST(log.find("CREATE ROLE latchkey_workspace NOLOGIN") != std::string::npos);

    support::sql(cluster.conninfo(),
                 "CREATE ROLE latchkey_workspace NOLOGIN; GRANT latchkey_workspace TO tenant");
    log = run_server("eve@example.com");
    BOOST_TEST(!has_warning(log), log);
}

BOOST_FIXTURE_TEST_CASE(with_the_role_nothing_is_logged, account_fixture)
{
    BOOST_TEST(!has_warning(server.log()));
}

BOOST_AUTO_TEST_SUITE_END()
