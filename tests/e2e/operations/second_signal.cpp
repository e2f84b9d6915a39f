// A second SIGTERM while another node's revocations are being applied: the server stops in any state.
#include "tests/e2e/support/account_fixture.hpp"

#include <atomic>
#include <csignal>
#include <thread>

using namespace e2e;

BOOST_AUTO_TEST_SUITE(second_signal)

BOOST_FIXTURE_TEST_CASE(a_node_stops_in_the_middle_of_evictions, account_fixture)
{
    // Under the sanitizers this finds what outlives its owner.
    constexpr int rounds = 5;
    std::atomic<bool> done{false};
    std::atomic<int> revoked{0};
    std::thread workload([&] {
        support::http_client own(server.port());
        while (!done) {
            auto key = own.post(base + "/api-keys", R"({"name":"k"})", token).text("/secret");
            revoked += !key.empty() && own.del(base + "/api-keys/" + prefix_of(key), token).status == 204u;
        }
    });
    for (int round = 0; round < rounds; ++round) {
        support::running_server other(
            db.conninfo(), {{"LATCHKEY_MASTER_KEY", server.master_key()}, {"LATCHKEY_THREADS", "3"}});
        support::http_client client(other.port());
        BOOST_TEST(client.get(base + "/auth", token).status == 200u);
        auto before = revoked.load();
        BOOST_TEST(support::eventually([&] { return revoked > before + 1; }));
        other.send(SIGTERM);
        if (round % 2 == 1)
            BOOST_TEST(other.logs("\"draining\""));
        other.send(SIGTERM);
        BOOST_TEST(other.wait().value_or(-1) == 0, other.log_lines("\"error\""));
    }
    done = true;
    workload.join();
    BOOST_TEST(revoked > rounds);
}

BOOST_AUTO_TEST_SUITE_END()
