// Fault injection: PostgreSQL stopped, frozen or restarted, the server killed, overload.
#include "tests/support/database.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/http.hpp"
#include "tests/support/server.hpp"

#include <boost/test/unit_test.hpp>

#include <atomic>
#include <chrono>
#include <string>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(faults)

namespace {

const std::string base = "/api/v1/users";

std::string signup_body(const std::string& email)
{
    return support::object({{"email", email}, {"password", "long enough"}});
}

/// The duration of `work` in seconds.
template <class F>
double seconds(F work)
{
    auto start = std::chrono::steady_clock::now();
    work();
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

struct cluster_fixture {
    support::postgres_cluster cluster;
    support::database db{cluster};
    support::running_server server{db.conninfo()};
    support::http_client client{server.port()};
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_stopped_database_is_503_and_service_recovers, cluster_fixture)
{
    auto token = client.post(base + "/signup", signup_body("ada@example.com")).text("/access_token");
    BOOST_TEST(client.get("/readyz").status == 200u);

    cluster.stop();
    support::response answer;
    auto took = seconds([&] { answer = client.post(base + "/login", signup_body("ada@example.com")); });
    BOOST_TEST(answer.status == 503u);
    BOOST_TEST(answer.code() == "database_unavailable");
    BOOST_TEST(!answer.header("Retry-After").empty());
    BOOST_TEST(took < 10.0);
    BOOST_TEST(client.get("/readyz").status == 503u);
    BOOST_TEST(client.get("/healthz").status == 200u);

    cluster.start();
    BOOST_TEST(support::eventually([&] { return client.get("/readyz").status == 200u; }));
    BOOST_TEST(client.post(base + "/login", signup_body("ada@example.com")).status == 200u);
    BOOST_TEST(client.get(base + "/me", token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_frozen_database_is_503_within_ten_seconds, cluster_fixture)
{
    client.post(base + "/signup", signup_body("ada@example.com"));
    cluster.freeze();
    support::response answer;
    auto took = seconds([&] { answer = client.post(base + "/login", signup_body("ada@example.com")); });
    BOOST_TEST(answer.status == 503u);
    BOOST_TEST(took < 10.0);
    cluster.thaw();
    BOOST_TEST(support::eventually(
        [&] { return client.post(base + "/login", signup_body("ada@example.com")).status == 200u; }));
}

BOOST_FIXTURE_TEST_CASE(a_restart_of_the_database_loses_nothing, cluster_fixture)
{
    auto token = client.post(base + "/signup", signup_body("ada@example.com")).text("/access_token");
    auto key = client.post(base + "/api-keys", R"({"name":"k"})", token).text("/secret");
    cluster.restart();
    BOOST_TEST(support::eventually([&] { return client.get(base + "/me", key).status == 200u; }));
}

BOOST_AUTO_TEST_CASE(sigkill_leaves_no_partial_signup)
{
    support::database db;
    std::vector<std::string> acknowledged;
    std::string master_key = support::random_master_key();
    for (int round = 0; round < 6; ++round) {
        support::running_server server(db.conninfo(), {{"LATCHKEY_MASTER_KEY", master_key}});
        std::atomic<bool> killed{false};
        std::atomic<int> acknowledged_now{0};
        std::vector<std::vector<std::string>> made(4);
        std::vector<std::thread> clients;
        for (std::size_t i = 0; i < made.size(); ++i)
            clients.emplace_back([&, i] {
                support::http_client client(server.port());
                for (int n = 0; !killed; ++n) {
                    auto email = "p" + std::to_string(round) + "-" + std::to_string(i) + "-" +
                                 std::to_string(n) + "@example.com";
                    try {
                        if (client.post(base + "/signup", signup_body(email)).status == 201u) {
                            made[i].push_back(email);
                            ++acknowledged_now;
                        }
                    } catch (const std::exception&) {
                        return; // the server was killed
                    }
                }
            });
        if (round > 0) // round 0 may kill before the first sign-up
            support::eventually([&] { return acknowledged_now > 0; });
        std::this_thread::sleep_for(std::chrono::milliseconds(60 + 35 * round));
        server.kill();
        killed = true;
        for (auto& client_thread : clients)
            client_thread.join();
        for (auto& some : made)
            acknowledged.insert(acknowledged.end(), some.begin(), some.end());
    }

    BOOST_TEST(!acknowledged.empty());
    BOOST_TEST(
        db.sql("SELECT count(*) FROM users u WHERE NOT EXISTS (SELECT FROM memberships m JOIN workspaces w "
               "ON w.id = m.workspace_id WHERE m.user_id = u.id AND w.owner_id = u.id)") == "0");
    support::running_server server(db.conninfo(), {{"LATCHKEY_MASTER_KEY", master_key}});
    support::http_client client(server.port());
    for (auto& email : acknowledged)
        BOOST_TEST(client.post(base + "/login", signup_body(email)).status == 200u, email);
}

BOOST_AUTO_TEST_CASE(a_different_master_key_is_rejected_at_start)
{
    support::database db;
    {
        support::running_server first(db.conninfo());
        BOOST_TEST(first.stop() == 0);
    }
    try {
        support::running_server second(db.conninfo()); // another random master key
        BOOST_ERROR("the server started with another master key");
    } catch (const std::runtime_error& e) {
        BOOST_TEST(std::string(e.what()).find("LATCHKEY_MASTER_KEY") != std::string::npos, e.what());
    }
}

BOOST_AUTO_TEST_CASE(overload_is_rejected_with_503)
{
    support::database db;
    support::running_server server(
        db.conninfo(), {{"LATCHKEY_PASSWORD_HASH", "m=65536,t=3,p=1"}, {"LATCHKEY_THREADS", "1"}});
    std::atomic<unsigned> shed{0}, other{0};
    std::vector<std::thread> clients;
    for (int i = 0; i < 150; ++i)
        clients.emplace_back([&] {
            support::http_client client(server.port());
            auto answer = client.post(base + "/login", signup_body("unknown@example.com"));
            if (answer.status == 503u && answer.code() == "overloaded" &&
                !answer.header("Retry-After").empty())
                ++shed;
            else if (answer.status != 401u)
                ++other;
        });
    for (auto& thread : clients)
        thread.join();
    BOOST_TEST(shed > 0u);
    BOOST_TEST(other == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
