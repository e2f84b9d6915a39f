// pgbouncer in transaction mode: each transaction may run on another of two server connections.
#include "tests/support/pooler.hpp"

#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace e2e;

namespace {

struct pooler_fixture {
    support::database db;
    support::pooler pool{db.conninfo()};
    std::string key = support::random_master_key();
    support::running_server server{pool.conninfo(),
                                   {{"LATCHKEY_PREPARED_STATEMENTS", "false"}, {"LATCHKEY_MASTER_KEY", key}}};
    support::running_server other{pool.conninfo(),
                                  {{"LATCHKEY_PREPARED_STATEMENTS", "false"},
                                   {"LATCHKEY_MASTER_KEY", key},
                                   {"LATCHKEY_PUBLIC_URL", "http://127.0.0.1:0"}}};
    support::http_client client{server.port()}, at_other{other.port()};

    std::string mint(const std::string& token)
    {
        auto made = client.post(base + "/api-keys", R"({"name":"k"})", token);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/secret");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(pooler)

BOOST_FIXTURE_TEST_CASE(a_revocation_takes_effect_at_once_on_both_servers, pooler_fixture)
{
    auto ada = sign_up(client, "ada@example.com");
    for (int i = 0; i < 10; ++i) {
        auto secret = mint(ada.token);
        for (auto* server_client : {&client, &at_other, &client, &at_other})
            BOOST_TEST(server_client->get(base + "/auth", secret).status == 200u);
        BOOST_TEST(client.del(base + "/api-keys/" + prefix_of(secret), ada.token).status == 204u);
        BOOST_TEST(at_other.get(base + "/auth", secret).status == 401u);
        BOOST_TEST(client.get(base + "/auth", secret).status == 401u);
    }
    BOOST_TEST(at_other.get(base + "/auth", ada.token).status == 200u);
    BOOST_TEST(client.post(base + "/logout", "", ada.token).status == 204u);
    BOOST_TEST(at_other.get(base + "/auth", ada.token).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(no_lease_is_held_and_no_node_registered, pooler_fixture)
{
    auto metrics = client.get("/metrics").body;
    BOOST_TEST(metrics.find("latchkey_lease_held 0") != std::string::npos);
    BOOST_TEST(server.logs("credential cache disabled"));
    BOOST_TEST(db.sql("SELECT count(*) FROM nodes") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_failed_batch_affects_no_other, pooler_fixture)
{
    auto ada = sign_up(client, "ada@example.com");
    db.sql("UPDATE users SET email_verified_at = now()");
    for (int i = 0; i < 5; ++i) { // the unique index fails a statement within the transaction
        BOOST_TEST(at_other.post(base + "/signup", credentials("ada@example.com")).status == 409u);
        BOOST_TEST(at_other.get(base + "/me", ada.token).status == 200u);
    }
    BOOST_TEST(db.sql("SELECT count(*) FROM users") == "1");
}

BOOST_FIXTURE_TEST_CASE(row_security_applies_per_transaction, pooler_fixture)
{
    std::vector<std::thread> clients;
    std::atomic<int> wrong = 0, right = 0;
    for (int i = 0; i < 6; ++i)
        clients.emplace_back([&, i] {
            support::http_client own(i % 2 ? server.port() : other.port());
            auto made = own.post(base + "/signup", credentials("p" + std::to_string(i) + "@example.org"));
            auto me = person_from(made);
            for (int round = 0; round < 15; ++round) {
                auto team = own.get(base + "/team?limit=5", me.token);
                bool is_mine = team.status == 200 && json_at(team, "/total") == "1" &&
                               team.text("/items/0/user_id") == me.user;
                ++(is_mine ? right : wrong);
            }
        });
    for (auto& thread : clients)
        thread.join();
    BOOST_TEST(wrong == 0);
    BOOST_TEST(right == 90);
}

// The reason for LATCHKEY_PREPARED_STATEMENTS=false: statements may have been prepared on another connection.
BOOST_AUTO_TEST_CASE(prepared_statements_fail)
{
    support::database db;
    support::pooler pool(db.conninfo());
    std::string what;
    try {
        support::running_server server(pool.conninfo());
        support::http_client client(server.port());
        for (int i = 0; i < 50 && what.empty(); ++i) {
            auto made = client.post(base + "/signup", credentials("p" + std::to_string(i) + "@example.org"));
            if (made.status != 201)
                what = made.body;
        }
    } catch (const std::exception& e) {
        what = e.what();
    }
    BOOST_TEST(!what.empty());
}

BOOST_AUTO_TEST_SUITE_END()
