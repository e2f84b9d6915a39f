// Claim links: the secret of an API key goes to a person once and never to the agent that minted it.
#include "tests/e2e/agents/mcp_fixture.hpp"
#include "tests/e2e/support/all_cores.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace e2e;

namespace {

struct claims_fixture : mcp_fixture {
    using mcp_fixture::mcp_fixture;

    struct claimable_key {
        std::string prefix, claim;
    };

    claimable_key mint_by_link(const std::string& more = "", const std::string& with = {})
    {
        auto arguments = R"({"name":"by link","delivery":"claim_url")" + more + "}";
        auto made = call_tool("mint_api_key", arguments, with.empty() ? token : with);
        BOOST_REQUIRE_MESSAGE(made.status == 200u, made.body);
        BOOST_TEST(made.body.find("tnx_") == std::string::npos);
        auto url = made.text("/result/structuredContent/claim_url");
        BOOST_REQUIRE_MESSAGE(url.find("/claim#token=") != std::string::npos, made.body);
        return {made.text("/result/structuredContent/prefix"), url.substr(url.find('=') + 1)};
    }

    support::response claim(const std::string& what)
    {
        return client.post(base + "/api-keys/claim", support::object({{"token", what}}));
    }

    std::string claim_outcome(const claimable_key& one)
    {
        auto answer = claim(one.claim);
        return std::to_string(answer.status) + " " + answer.code();
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(key_claims)

BOOST_FIXTURE_TEST_CASE(the_claim_link_returns_the_secret_once, claims_fixture)
{
    auto one = mint_by_link(R"(,"scopes":["team:read"])");
    auto listed = client.get(base + "/api-keys/" + one.prefix, token);
    BOOST_TEST(listed.text("/name") == "by link");
    auto shown = claim(one.claim);
    BOOST_REQUIRE_MESSAGE(shown.status == 200u, shown.body);
    auto key = shown.text("/secret");
    BOOST_TEST(prefix_of(key) == one.prefix);
    BOOST_TEST(json_at(shown, "/scopes") == R"(["team:read"])");
    BOOST_TEST(on_all_cores(server, get_request("/team", key)) == "200");
    BOOST_TEST(client.get(base + "/me/notifications", key).status == 403u);
    BOOST_TEST(claim_outcome(one) == "400 invalid_token");
    BOOST_TEST(on_all_cores(server, get_request("/team", key)) == "200");
    auto events = client.get(base + "/audit?action=api_key.claim", token);
    BOOST_TEST(events.text("/items/0/target") == one.prefix);
    BOOST_TEST(events.text("/items/0/actor/user_id") == user);
}

BOOST_FIXTURE_TEST_CASE(opening_the_claim_link_does_not_spend_it, claims_fixture)
{
    auto one = mint_by_link();
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(client.get("/claim").status == 200u);
    BOOST_TEST(claim(one.claim).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_claim_token_is_valid_for_claims_only, claims_fixture)
{
    auto one = mint_by_link();
    BOOST_TEST(client.get(base + "/me", one.claim).status == 401u);
    for (std::string path : {"/email/verify", "/invites/preview", "/email/change/confirm"})
        BOOST_TEST(client.post(base + path, support::object({{"token", one.claim}})).status == 400u, path);
    for (std::string what :
         {std::string("x"), std::string(43, 'A'), one.claim + "A", mint(R"({"name":"k"})")})
        BOOST_TEST(claim(what).status == 400u, what);
    BOOST_TEST(claim(one.claim).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(revoked_and_expired_keys_cannot_be_claimed, claims_fixture)
{
    auto revoked = mint_by_link();
    BOOST_REQUIRE(client.del(base + "/api-keys/" + revoked.prefix, token).status == 204u);
    BOOST_TEST(claim_outcome(revoked) == "400 invalid_token");

    auto late = mint_by_link();
    db.sql("UPDATE api_keys SET created_at = now() - interval '16 minutes' WHERE prefix = '" + late.prefix +
           "'");
    BOOST_TEST(claim_outcome(late) == "400 invalid_token");

    auto expired = mint_by_link();
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE prefix = '" + expired.prefix +
           "'");
    BOOST_TEST(claim_outcome(expired) == "400 invalid_token");
}

BOOST_FIXTURE_TEST_CASE(where_minting_is_reserved_for_admins_only_their_links_are_claimed, claims_fixture)
{
    auto members = mint_by_link("", bob.token), managers = mint_by_link("", mel.token),
         admins = mint_by_link();
    auto settings = R"({"members_can_mint_keys":false})";
    BOOST_REQUIRE(client.patch(base + "/workspace", settings, token).status == 200u);
    BOOST_TEST(claim_outcome(members) == "400 invalid_token");
    BOOST_TEST(claim_outcome(managers) == "400 invalid_token");
    BOOST_TEST(claim_outcome(admins) == "200 ");
    for (auto& with : {bob.token, mel.token})
        for (auto arguments : {R"({"name":"k"})", R"({"name":"k","delivery":"claim_url"})"}) {
            auto refused = call_tool("mint_api_key", arguments, with);
            BOOST_TEST(refused.body.find("forbidden_scope") != std::string::npos, refused.body);
        }
}

BOOST_FIXTURE_TEST_CASE(of_concurrent_claims_exactly_one_succeeds, claims_fixture)
{
    auto one = mint_by_link();
    std::vector<std::thread> both;
    std::atomic<int> succeeded = 0;
    for (int i = 0; i < 8; ++i)
        both.emplace_back([&] {
            support::http_client own(server.port());
            if (own.post(base + "/api-keys/claim", support::object({{"token", one.claim}})).status == 200u)
                ++succeeded;
        });
    for (auto& thread : both)
        thread.join();
    BOOST_TEST(succeeded == 1);
}

BOOST_AUTO_TEST_SUITE_END()
