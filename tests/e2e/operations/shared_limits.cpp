// Rate limits of three nodes: on one of them a client has its whole limit, on all at most 1.2 times as much.
#include "tests/e2e/support/members.hpp"
#include "tests/support/eventually.hpp"

#include <deque>
#include <functional>
#include <string>
#include <thread>
#include <vector>

using namespace e2e;

BOOST_AUTO_TEST_SUITE(shared_limits)

namespace {

constexpr unsigned limit = 300;

struct cluster_fixture {
    cluster_fixture()
    {
        auto master_key = support::random_master_key();
        for (int i = 0; i < 3; ++i)
            servers.emplace_back(db.conninfo(), support::environment{{"LATCHKEY_MASTER_KEY", master_key},
                                                                     {"LATCHKEY_RATE_LIMIT_PER_MINUTE",
                                                                      std::to_string(limit)}});
        for (auto& server : servers) {
            support::http_client client(server.port(), "127.0.9.9");
            BOOST_TEST_REQUIRE(support::eventually([&] {
                return client.get("/metrics").body.find("\nlatchkey_nodes 3\n") != std::string::npos;
            }));
        }
    }

    /// Requests of one client on each of some servers at the same time. @return how many had this status
    unsigned count(const std::vector<std::size_t>& on, unsigned tries, unsigned status,
                   const std::function<unsigned(support::http_client&)>& request, const std::string& from)
    {
        std::vector<unsigned> counted(on.size());
        std::vector<std::thread> threads;
        for (std::size_t i = 0; i < on.size(); ++i)
            threads.emplace_back([&, i] {
                support::http_client client(servers[on[i]].port(), from);
                client.set("User-Agent", "unknown");
                for (unsigned n = 0; n < tries; ++n)
                    counted[i] += request(client) == status;
            });
        for (auto& each : threads)
            each.join();
        unsigned sum = 0;
        for (auto n : counted)
            sum += n;
        return sum;
    }

    std::string sign_up(const std::string& email)
    {
        support::http_client client(servers[0].port());
        return e2e::sign_up(client, email).token;
    }

    support::database db;
    std::deque<support::running_server> servers;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_credential_has_its_limit_on_one_node_and_little_more_on_all, cluster_fixture)
{
    for (int round = 0; round < 3; ++round) {
        auto one = sign_up("one" + std::to_string(round) + "@example.com"),
             all = sign_up("all" + std::to_string(round) + "@example.com");
        auto check = [](const std::string& token) {
            return [token](support::http_client& client) { return client.get(base + "/auth", token).status; };
        };
        auto node = static_cast<std::size_t>(round);
        BOOST_TEST(count({node}, limit + 50, 200, check(one), "127.0.0.1") == limit);
        auto on_all = count({0, 1, 2}, limit + 50, 200, check(all), "127.0.0.1");
        BOOST_TEST(on_all <= limit * 1.2);
        BOOST_TEST(on_all >= limit);
    }
}

BOOST_FIXTURE_TEST_CASE(an_address_has_its_limit_on_one_node_and_little_more_on_all, cluster_fixture)
{
    auto request = [](support::http_client& client) { return client.get(base + "/auth").status; };
    BOOST_TEST(count({1}, limit + 50, 401, request, "127.0.1.1") == limit);
    BOOST_TEST(count({0, 1, 2}, limit + 50, 401, request, "127.0.2.1") <= limit * 1.2);
    auto unmatched = [](support::http_client& client) { return client.get("/nowhere").status; };
    BOOST_TEST(count({0, 1, 2}, limit + 50, 404, unmatched, "127.0.3.1") <= limit * 1.2);
}

BOOST_FIXTURE_TEST_CASE(wrong_passwords_are_limited_on_all_nodes_together, cluster_fixture)
{
    sign_up("ada@example.com");
    auto guess = [](const std::string& email) {
        return [email](support::http_client& client) {
            return client.post(base + "/login", credentials(email, "not her own")).status;
        };
    };
    BOOST_TEST(count({2}, 15, 401, guess("bob@example.com"), "127.0.4.1") == 10u);
    auto on_all = count({0, 1, 2}, 15, 401, guess("ada@example.com"), "127.0.5.1");
    BOOST_TEST(on_all <= 12u);
    BOOST_TEST(on_all >= 10u);
    // The right password is not counted, on any node.
    auto right = [](support::http_client& client) {
        return client.post(base + "/login", credentials("ada@example.com")).status;
    };
    BOOST_TEST(count({0, 1, 2}, 15, 200, right, "127.0.6.1") == 45u);
}

BOOST_AUTO_TEST_SUITE_END()
