// Forward authentication and the route guards: credentials, permissions, rate limits and their responses.
#include "tests/e2e/support/members.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/forge.hpp"

#include <deque>
#include <string>

using namespace e2e;

BOOST_AUTO_TEST_SUITE(guards)

BOOST_FIXTURE_TEST_CASE(forward_auth_headers_describe_the_credential, account_fixture)
{
    auto by_token = client.get(base + "/auth", token);
    BOOST_TEST(by_token.status == 200u);
    BOOST_TEST(by_token.header("X-User-Id") == user);
    BOOST_TEST(by_token.header("X-Workspace-Id") == workspace);
    BOOST_TEST(by_token.header("X-Role") == "admin");
    BOOST_TEST(by_token.header("X-Scopes") == "*");
    BOOST_TEST(by_token.header("Cache-Control") == "no-store");

    auto by_key = client.get(base + "/auth", mint(R"({"name":"k","scopes":["content:read","team:read"]})"));
    BOOST_TEST(by_key.header("X-User-Id") == user);
    BOOST_TEST(by_key.header("X-Scopes") == "content:read team:read");
    BOOST_TEST(by_key.header("X-Credential-Id") != by_token.header("X-Credential-Id"));

    auto of_workspace = client.get(base + "/auth", mint(R"({"name":"w","owner":"workspace"})"));
    BOOST_TEST(of_workspace.status == 200u);
    BOOST_TEST(of_workspace.header("X-User-Id") == "");
    BOOST_TEST(of_workspace.header("X-Role") == "member");
}

BOOST_FIXTURE_TEST_CASE(forward_auth_accepts_any_method, account_fixture)
{
    for (auto verb : {support::http::verb::post, support::http::verb::put, support::http::verb::delete_,
                      support::http::verb::patch, support::http::verb::head})
        BOOST_TEST(client.send(verb, base + "/auth", "", token).status == 200u, verb);
}

BOOST_FIXTURE_TEST_CASE(a_permission_requires_both_role_and_scope, account_fixture)
{
    auto key = mint(R"({"name":"k","scopes":["content:read"]})");
    BOOST_TEST(client.get(base + "/auth?permission=content:read", key).status == 200u);
    BOOST_TEST(client.get(base + "/auth?permission=team%3Aroles", token).status == 200u);
    auto refused = client.get(base + "/auth?permission=team:roles", key);
    BOOST_TEST(refused.status == 403u);
    BOOST_TEST(refused.code() == "forbidden_scope");
    BOOST_TEST(refused.text("/required") == "team:roles");
    auto member = mint(R"({"name":"w","owner":"workspace"})");
    BOOST_TEST(client.get(base + "/auth?permission=team:roles", member).status == 403u);
    BOOST_TEST(client.get(base + "/auth?permission=no:such", token).status == 422u);
}

BOOST_FIXTURE_TEST_CASE(a_malformed_query_is_rejected, account_fixture)
{
    auto key = mint(R"({"name":"k","scopes":["content:read"]})");
    for (auto query : {"permission=", "Permission=team:roles", "permisson=team:roles", "permission",
                       "permission=team:roles&permission=content:read", "deny_status=403&deny_status=403",
                       "permission=content:read&x=1"})
        BOOST_TEST(client.get(base + "/auth?" + query, key).status == 422u, query);
}

BOOST_FIXTURE_TEST_CASE(deny_status_turns_denials_into_403, account_fixture)
{
    auto key = mint(R"({"name":"k","scopes":["content:read"]})");
    auto refused = client.get(base + "/auth?permission=team:roles&deny_status=403", key);
    BOOST_TEST(refused.status == 403u);
    BOOST_TEST(refused.header("X-Auth-Reason") == "forbidden_scope");
    BOOST_TEST(client.get(base + "/auth?deny_status=403", "").status == 401u);
    BOOST_TEST(client.get(base + "/auth?deny_status=418", token).status == 422u);
}

BOOST_FIXTURE_TEST_CASE(missing_and_invalid_credentials_have_different_challenges, account_fixture)
{
    auto none = client.get(base + "/me");
    BOOST_TEST(none.status == 401u);
    BOOST_TEST(none.header("WWW-Authenticate") == "Bearer realm=\"latchkey\"");

    auto forged_token = support::forge(token, token.size() - 10);
    auto key = mint(R"({"name":"k"})");
    auto forged_key = support::forge(key, 20);
    for (auto& bad : {forged_token, forged_key, std::string("tnx_"), std::string("x"), std::string("a.b.c"),
                      std::string(9000, 'a'), token + ".x", "eyJhbGciOiJub25lIn0.e30." + std::string()}) {
        auto answer = client.get(base + "/me", bad);
        BOOST_TEST(answer.status == 401u, bad);
        BOOST_TEST(answer.header("WWW-Authenticate").find("error=\"invalid_token\"") != std::string::npos,
                   bad);
    }
}

BOOST_FIXTURE_TEST_CASE(a_credential_is_read_from_the_authorization_header_only, account_fixture)
{
    support::raw_connection connection(server.port());
    connection.send("GET " + base + "/me HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer " + token +
                    "\r\nAuthorization: Bearer " + token + "\r\nConnection: close\r\n\r\n");
    BOOST_TEST(connection.receive().status == 400u);

    BOOST_TEST(client.get(base + "/me?access_token=" + token).status == 401u);
    client.set("Cookie", "access_token=" + token);
    BOOST_TEST(client.get(base + "/me").status == 401u);
    client.set("Cookie", "");
    client.set("Authorization", "Basic " + token);
    BOOST_TEST(client.get(base + "/me").status == 401u);
    client.set("Authorization", "bEARER " + token);
    BOOST_TEST(client.get(base + "/me").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_revoked_key_is_rejected_on_every_core, account_fixture)
{
    for (int round = 0; round < 5; ++round) {
        auto made = client.post(base + "/api-keys", R"({"name":"k"})", token);
        auto key = made.text("/secret");
        std::deque<support::http_client> clients; // enough connections for every core
        for (int i = 0; i < 16; ++i)
            clients.emplace_back(server.port());
        for (auto& one : clients)
            BOOST_TEST(one.get(base + "/auth", key).status == 200u);
        BOOST_TEST(client.del(base + "/api-keys/" + made.text("/prefix"), token).status == 204u);
        for (auto& one : clients)
            BOOST_TEST(one.get(base + "/auth", key).status == 401u);
    }
}

BOOST_FIXTURE_TEST_CASE(an_ended_session_invalidates_its_access_token, account_fixture)
{
    std::deque<support::http_client> clients;
    for (int i = 0; i < 16; ++i)
        clients.emplace_back(server.port());
    for (auto& one : clients)
        BOOST_TEST(one.get(base + "/auth", token).status == 200u);
    BOOST_TEST(client.post(base + "/logout", "", token).status == 204u);
    for (auto& one : clients)
        BOOST_TEST(one.get(base + "/auth", token).status == 401u);
}

BOOST_AUTO_TEST_CASE(an_access_token_expires)
{
    account_fixture fixture({{"LATCHKEY_ACCESS_TOKEN_TTL", "2"}});
    std::string token;
    BOOST_TEST(support::eventually([&] { // again if it has expired before its first use
        token = log_in(fixture.client, "ada@example.com").token;
        return fixture.client.get(base + "/me", token).status == 200u;
    }));
    support::response late;
    BOOST_TEST(support::eventually([&] {
        late = fixture.client.get(base + "/me", token);
        return late.status != 200u;
    }));
    BOOST_TEST(late.status == 401u);
    BOOST_TEST(late.code() == "token_expired");
}

BOOST_AUTO_TEST_CASE(the_general_limit_is_per_credential)
{
    account_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "20"}});
    unsigned passed = 0;
    support::response last;
    for (int i = 0; i < 25; ++i) {
        support::http_client one(fixture.server.port()); // spread over all cores
        last = one.get(base + "/auth", fixture.token);
        passed += last.status == 200u;
    }
    BOOST_TEST(passed == 20u);
    BOOST_TEST(last.status == 429u);
    BOOST_TEST(last.code() == "rate_limited");
    BOOST_TEST(last.text("/error") == "rate_limited");
    BOOST_TEST(!last.text("/message").empty());
    BOOST_TEST(!last.header("Retry-After").empty());
    BOOST_TEST(last.header("RateLimit-Policy") == "\"credential\";q=20;w=60");
    auto denied = fixture.client.get(base + "/auth?deny_status=403", fixture.token);
    BOOST_TEST(denied.status == 403u);
    BOOST_TEST(denied.header("X-Auth-Reason") == "rate_limited");
    BOOST_TEST(fixture.client.get("/healthz").status == 200u);
}

BOOST_AUTO_TEST_CASE(invalid_credentials_are_limited_per_address)
{
    account_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "20"}});
    support::http_client outsider(fixture.server.port(), "127.0.0.9");
    unsigned refused = 0;
    for (int i = 0; i < 30; ++i)
        refused += outsider.get(base + "/auth", "made-up-" + std::to_string(i)).status == 401u;
    BOOST_TEST(refused == 20u);
    BOOST_TEST(outsider.get(base + "/auth", "made-up").status == 429u);
    BOOST_TEST(fixture.client.get(base + "/auth", fixture.token).status == 200u);
}

BOOST_AUTO_TEST_CASE(made_up_credentials_stop_no_valid_one_of_their_address)
{
    account_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "20"}});
    auto key = fixture.mint(R"({"name":"k"})");
    auto fresh = log_in(fixture.client, "ada@example.com").token;
    support::http_client outsider(fixture.server.port(), "127.0.0.9");
    for (int i = 0; i < 50; ++i)
        outsider.get(base + "/auth", support::forge(key, 20));
    BOOST_TEST(outsider.get(base + "/auth", "made-up").status == 429u);
    // Neither has been used, so that neither is cached.
    BOOST_TEST(outsider.get(base + "/auth", key).status == 200u);
    BOOST_TEST(outsider.get(base + "/auth", fresh).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(the_signing_keys_are_published, account_fixture)
{
    auto keys = client.get("/.well-known/jwks.json");
    BOOST_TEST(keys.status == 200u);
    BOOST_TEST(keys.header("Cache-Control") == "public, max-age=600");
    BOOST_TEST(keys.text("/keys/0/alg") == "ES256");
    BOOST_TEST(keys.body.find("\"d\"") == std::string::npos); // no private key
}

BOOST_FIXTURE_TEST_CASE(no_secret_is_logged, account_fixture)
{
    auto key = mint(R"({"name":"k"})");
    client.get(base + "/auth?token=" + key, key);
    client.get("/" + key, token);
    client.get(base + "/api-keys/" + key, token);
    client.set("X-Request-Id", "nothing-secret");
    client.post(base + "/api-keys/report", support::object({{"key", key}}));
    BOOST_TEST(server.stop() == 0);
    auto log = server.log();
    for (auto& secret : {key, token, std::string("long enough"), server.master_key()})
        BOOST_TEST(log.find(secret) == std::string::npos);
}

BOOST_AUTO_TEST_SUITE_END()
