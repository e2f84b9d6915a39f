// Revocations that are committed together, on two nodes at once.
#include "tests/e2e/support/all_cores.hpp"

#include <atomic>
#include <string>
#include <thread>
#include <vector>

using namespace e2e;

namespace {

/// A second server on Ada's database.
struct two_servers : account_fixture {
    support::running_server other{db.conninfo(), {{"LATCHKEY_MASTER_KEY", server.master_key()}}};

    std::vector<std::string> mint_keys(int count)
    {
        std::vector<std::string> keys;
        for (int i = 0; i < count; ++i)
            keys.push_back(mint(R"({"name":"k"})"));
        return keys;
    }

    std::string status_everywhere(const std::string& key)
    {
        auto ask = get_request("/auth", key);
        auto here = on_all_cores(server, ask), there = on_all_cores(other, ask);
        return here == there ? here : here + " / " + there;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(concurrent_revocations)

BOOST_FIXTURE_TEST_CASE(each_is_refused_by_both_nodes_once_its_own_call_has_returned, two_servers)
{
    auto keys = mint_keys(48);
    for (auto& key : keys)
        BOOST_TEST(status_everywhere(key) == "200");
    std::atomic<int> accepted{0};
    auto revoke_and_check = [&](const std::string& key) -> api_request {
        return [&, key](support::http_client& client) {
            auto answer = client.del(base + "/api-keys/" + prefix_of(key), token);
            for (auto* where : {&server, &other}) {
                support::http_client checker(where->port());
                accepted += checker.get(base + "/auth", key).status != 401u;
            }
            return answer;
        };
    };
    std::vector<api_request> here, there;
    for (std::size_t i = 0; i < keys.size(); ++i)
        (i % 2 ? here : there).push_back(revoke_and_check(keys[i]));
    std::vector<support::response> theirs;
    std::thread second([&] { theirs = send_concurrently(other, there); });
    auto ours = send_concurrently(server, here);
    second.join();
    for (auto* answers : {&ours, &theirs})
        for (auto& answer : *answers)
            BOOST_TEST(answer.status == 204u);
    BOOST_TEST(accepted == 0);
    for (auto& key : keys)
        BOOST_TEST(status_everywhere(key) == "401 unauthorized");
    auto events = "FROM audit WHERE action = 'api_key.revoke'";
    BOOST_TEST(db.sql(std::string("SELECT count(*) || ' ' || count(DISTINCT target) ") + events) == "48 48");
    BOOST_TEST(db.sql(std::string("SELECT count(DISTINCT xmin::text) < 48 ") + events) == "t");
}

BOOST_FIXTURE_TEST_CASE(each_gets_its_own_answer, two_servers)
{
    auto body = support::object({{"email", "eve@example.com"}, {"password", "long enough"}});
    auto eve = client.post(base + "/signup", body).text("/access_token");
    auto foreign = client.post(base + "/api-keys", R"({"name":"k"})", eve).text("/secret");
    auto keys = mint_keys(4);
    auto revoke = [&](const std::string& prefix, const std::string& with) {
        return delete_request("/api-keys/" + prefix, with);
    };
    auto session = client.post(base + "/login",
                               support::object({{"email", "ada@example.com"}, {"password", "long enough"}}));
    std::vector<api_request> all{
        revoke(prefix_of(keys[0]), token),
        revoke(prefix_of(keys[1]), token),
        revoke(prefix_of(foreign), token), // not hers
        revoke(prefix_of(keys[2]), eve),   // not Eve's
        revoke("nosuchkk", token),
        revoke(prefix_of(keys[0]), token),  // again
        revoke(prefix_of(keys[3]), "none"), // no credential
        post_request("/logout", "", session.text("/access_token")),
    };
    auto answers = send_concurrently(server, all);
    std::vector<unsigned> statuses;
    for (auto& answer : answers)
        statuses.push_back(answer.status);
    std::vector<unsigned> expected{204, 204, 404, 404, 404, 204, 401, 204};
    BOOST_TEST(statuses == expected, boost::test_tools::per_element());
    BOOST_TEST(status_everywhere(foreign) == "200");
    BOOST_TEST(status_everywhere(keys[2]) == "200");
    BOOST_TEST(status_everywhere(keys[3]) == "200");
    BOOST_TEST(status_everywhere(keys[0]) == "401 unauthorized");
    BOOST_TEST(status_everywhere(session.text("/access_token")) == "401 unauthorized");
}

BOOST_AUTO_TEST_SUITE_END()
