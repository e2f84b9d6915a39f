// Rights of API keys: no privilege escalation through minting, and no access across users and workspaces.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <chrono>
#include <string>

using namespace e2e;
using namespace std::chrono_literals;

namespace {

struct key_rights_fixture : team_fixture {
    /// A key that can mint, with further scopes.
    std::string minter(const std::string& scopes, const std::string& more = "")
    {
        return mint(R"({"name":"m","scopes":["api_keys:write","api_keys:read")" +
                    (scopes.empty() ? "" : "," + scopes) + "]" + more + "}");
    }

    support::response mint_with(const std::string& key, std::string body)
    {
        return client.post(base + "/api-keys", std::move(body), key);
    }

    static std::string path(const std::string& key) { return base + "/api-keys/" + prefix_of(key); }
};

/// The permission that a 403 names as required; status and body of any other response.
std::string required_permission(const support::response& answer)
{
    bool is_forbidden =
        answer.status == 403 && answer.code() == "forbidden_scope" &&
        member_names(answer) == "detail code required" &&
        answer.header("WWW-Authenticate").find("error=\"insufficient_scope\"") != std::string::npos;
    return is_forbidden ? answer.text("/required") : std::to_string(answer.status) + " " + answer.body;
}

} // namespace

BOOST_AUTO_TEST_SUITE(api_key_rights)

BOOST_FIXTURE_TEST_CASE(a_key_cannot_mint_a_wider_key, key_rights_fixture)
{
    auto narrow = minter(R"("content:read")");
    BOOST_TEST(required_permission(mint_with(narrow, R"({"name":"k"})")) == "*");
    BOOST_TEST(required_permission(mint_with(narrow, R"({"name":"k","scopes":["*"]})")) == "*");
    BOOST_TEST(required_permission(mint_with(
                   narrow, R"({"name":"k","scopes":["content:read","content:write"]})")) == "content:write");
    auto same = mint_with(narrow, R"({"name":"k","scopes":["content:read"]})");
    BOOST_TEST(same.status == 201u);
    BOOST_TEST(json_at(same, "/scopes") == R"(["content:read"])");
    BOOST_TEST(required_permission(mint_with(
                   same.text("/secret"), R"({"name":"k","scopes":["content:read"]})")) == "api_keys:write");
    BOOST_TEST(mint_with(mint(R"({"name":"all"})"), R"({"name":"k"})").status == 201u);
}

BOOST_FIXTURE_TEST_CASE(a_key_cannot_mint_a_key_that_outlives_it, key_rights_fixture)
{
    auto expiring = minter(R"("content:read")", R"(,"expires_at":")" + from_now(1h) + "\"");
    auto ask = [&](const std::string& expiry) {
        return mint_with(expiring, R"({"name":"k","scopes":["content:read"])" + expiry + "}");
    };
    BOOST_TEST(ask("").status == 403u);
    BOOST_TEST(ask(R"(,"expires_at":null)").status == 403u);
    BOOST_TEST(ask(R"(,"expires_at":")" + from_now(2h) + "\"").status == 403u);
    BOOST_TEST(ask(R"(,"expires_at":")" + from_now(30min) + "\"").status == 201u);
}

BOOST_FIXTURE_TEST_CASE(a_key_cannot_widen_scopes, key_rights_fixture)
{
    auto narrow = minter(R"("content:read")");
    auto target = mint(R"({"name":"t","scopes":["content:read"]})");
    for (auto& key : {target, narrow}) {
        BOOST_TEST(required_permission(client.patch(path(key), R"({"scopes":["*"]})", narrow)) == "*");
        BOOST_TEST(required_permission(client.patch(path(key), R"({"scopes":["content:write"]})", narrow)) ==
                   "content:write");
    }
    BOOST_TEST(client.patch(path(target), R"({"name":"u","scopes":["content:read"]})", narrow).status ==
               200u);
    BOOST_TEST(client.patch(path(narrow), R"({"scopes":["api_keys:write"]})", narrow).status == 200u);
    BOOST_TEST(required_permission(client.patch(path(target), R"({"scopes":["content:read"]})", narrow)) ==
               "content:read");
}

BOOST_FIXTURE_TEST_CASE(a_key_cannot_extend_an_expiry_beyond_its_own, key_rights_fixture)
{
    auto expiring = minter(R"("content:read")", R"(,"expires_at":")" + from_now(1h) + "\"");
    auto target = mint(R"({"name":"t","scopes":["content:read"],"expires_at":")" + from_now(30min) + "\"}");
    for (auto& key : {target, expiring}) {
        BOOST_TEST(client.patch(path(key), R"({"expires_at":null})", expiring).status == 403u);
        BOOST_TEST(client.patch(path(key), R"({"expires_at":")" + from_now(2h) + "\"}", expiring).status ==
                   403u);
    }
    BOOST_TEST(client.patch(path(target), R"({"expires_at":")" + from_now(40min) + "\"}", expiring).status ==
               200u);
    auto endless = mint(R"({"name":"t","scopes":["content:read"]})");
    BOOST_TEST(client.post(path(endless) + "/rotate", "", expiring).status == 403u);
    BOOST_TEST(client.get(base + "/auth", endless).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_key_cannot_rotate_a_wider_key, key_rights_fixture)
{
    auto narrow = minter(R"("content:read")");
    auto wide = mint(R"({"name":"wide"})");
    BOOST_TEST(required_permission(client.post(path(wide) + "/rotate", "", narrow)) == "*");
    BOOST_TEST(client.get(base + "/auth", wide).status == 200u);
    auto itself = client.post(path(narrow) + "/rotate", "", narrow);
    BOOST_TEST(itself.status == 201u);
    BOOST_TEST(client.get(base + "/auth", narrow).status == 401u);
    BOOST_TEST(client.get(base + "/auth", itself.text("/secret")).status == 200u);
    // Revoking a wider key gains nothing.
    BOOST_TEST(client.del(path(wide), itself.text("/secret")).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(minting_a_workspace_key_requires_all_of_its_permissions, key_rights_fixture)
{
    auto admin = mint(R"({"name":"a","scopes":["api_keys:write","api_keys:admin","content:read"]})");
    auto made =
        mint_with(admin, R"({"name":"w","owner":"workspace","role":"admin","scopes":["content:read"]})");
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(required_permission(mint_with(admin, R"({"name":"w","owner":"workspace","role":"admin"})")) ==
               "*");
    BOOST_TEST(required_permission(
                   mint_with(minter(""), R"({"name":"w","owner":"workspace","scopes":["api_keys:read"]})")) ==
               "api_keys:admin");

    auto of_workspace = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    BOOST_TEST(mint_with(of_workspace, R"({"name":"w","owner":"workspace","role":"admin"})").status == 201u);
    auto personal = mint_with(of_workspace, R"({"name":"k"})"); // a workspace key has no user to own it
    BOOST_TEST(personal.status == 403u);
    BOOST_TEST(personal.code() == "forbidden");
}

BOOST_FIXTURE_TEST_CASE(users_see_their_own_keys_only, key_rights_fixture)
{
    auto adas = mint(R"({"name":"adas"})");
    auto bobs = client.post(base + "/api-keys", R"({"name":"bobs"})", bob.token).text("/secret");
    auto mels = client.post(base + "/api-keys", R"({"name":"mels"})", mel.token).text("/secret");
    BOOST_TEST(item_texts(client.get(base + "/api-keys", token), "name") == std::vector<std::string>{"adas"},
               boost::test_tools::per_element());
    BOOST_TEST(item_texts(client.get(base + "/api-keys", bob.token), "name") ==
                   std::vector<std::string>{"bobs"},
               boost::test_tools::per_element());
    BOOST_TEST(item_texts(client.get(base + "/api-keys", mels), "name") == std::vector<std::string>{"mels"},
               boost::test_tools::per_element());

    for (auto& who : {mel.token, mels}) {
        BOOST_TEST(client.get(path(bobs), who).status == 404u);
        BOOST_TEST(client.patch(path(bobs), R"({"name":"x"})", who).status == 404u);
        BOOST_TEST(client.post(path(bobs) + "/rotate", "", who).status == 404u);
        BOOST_TEST(client.del(path(bobs), who).status == 404u);
    }
    BOOST_TEST(client.get(base + "/auth", bobs).status == 200u);
    BOOST_TEST(client.get(base + "/auth", adas).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(an_admin_can_see_and_revoke_but_not_change_keys_of_members, key_rights_fixture)
{
    auto bobs = client.post(base + "/api-keys", R"({"name":"bobs"})", bob.token).text("/secret");
    BOOST_TEST(client.get(path(bobs), token).text("/name") == "bobs");
    for (auto& refused : {client.patch(path(bobs), R"({"scopes":["content:read"]})", token),
                          client.post(path(bobs) + "/rotate", "", token)}) {
        BOOST_TEST(refused.status == 403u);
        BOOST_TEST(refused.code() == "forbidden");
    }
    BOOST_TEST(client.get(base + "/auth", bobs).status == 200u);
    auto without = mint(R"({"name":"k","scopes":["api_keys:read","api_keys:write"]})");
    BOOST_TEST(client.get(path(bobs), without).status == 404u);
    BOOST_TEST(client.del(path(bobs), without).status == 404u);
    BOOST_TEST(client.del(path(bobs), token).status == 204u);
    BOOST_TEST(client.get(base + "/auth", bobs).status == 401u);
}

BOOST_FIXTURE_TEST_CASE(workspace_keys_are_managed_by_admins, key_rights_fixture)
{
    auto ours = mint(R"({"name":"w","owner":"workspace"})");
    BOOST_TEST(client.get(path(ours), bob.token).status == 404u);
    BOOST_TEST(client.get(path(ours), token).text("/owner") == "workspace");
    BOOST_TEST(client.patch(path(ours), R"({"name":"x"})", token).text("/name") == "x");
    auto next = client.post(path(ours) + "/rotate", "", token);
    BOOST_TEST(next.text("/owner") == "workspace");
    BOOST_TEST(client.get(base + "/me", next.text("/secret")).text("/role") == "member");
    BOOST_TEST(client.del(path(next.text("/secret")), token).status == 204u);

    auto member = mint(R"({"name":"w","owner":"workspace","role":"member"})");
    BOOST_TEST(client.get(base + "/api-keys", member).code() == "forbidden");
    BOOST_TEST(client.get(path(member), member).code() == "forbidden");
}

BOOST_FIXTURE_TEST_CASE(keys_of_another_workspace_are_not_found, key_rights_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    auto her_key = client.post(base + "/api-keys", R"({"name":"e"})", eve.token).text("/secret");
    auto hers_of_workspace =
        client.post(base + "/api-keys", R"({"name":"e","owner":"workspace","role":"admin"})", eve.token)
            .text("/secret");
    auto mine = mint(R"({"name":"mine"})");
    auto ours = mint(R"({"name":"ours","owner":"workspace"})");
    for (auto& who : {eve.token, her_key, hers_of_workspace})
        for (auto& key : {mine, ours}) {
            for (auto& refused : {client.get(path(key), who), client.del(path(key), who),
                                  client.patch(path(key), R"({"name":"x"})", who),
                                  client.post(path(key) + "/rotate", "", who),
                                  client.del("/api/v1/admin/api-keys/" + prefix_of(key), who)}) {
                BOOST_TEST(refused.status == 404u);
                BOOST_TEST(refused.code() == "not_found");
            }
        }
    for (auto& key : {mine, ours})
        BOOST_TEST(client.get(base + "/auth", key).status == 200u);
    BOOST_TEST(client.get(base + "/api-keys", eve.token).body.find("mine") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(keys_are_per_workspace, key_rights_fixture)
{
    auto here = client.post(base + "/api-keys", R"({"name":"here"})", bob.token).text("/secret");
    db.sql("UPDATE users SET last_workspace_id = NULL WHERE id = '" + bob.user +
           "'; UPDATE memberships SET joined_at = now() - interval '1 year' WHERE user_id = '" + bob.user +
           "' AND workspace_id <> '" + workspace + "'");
    auto home = log_in(client, "bob@example.com");
    BOOST_TEST_REQUIRE(home.workspace != workspace);
    BOOST_TEST(item_count(client.get(base + "/api-keys", home.token)) == 0u);
    BOOST_TEST(client.get(path(here), home.token).status == 404u);
    BOOST_TEST(client.del(path(here), home.token).status == 404u);
    BOOST_TEST(client.get(base + "/auth", here).header("X-Workspace-Id") == workspace);
}

BOOST_AUTO_TEST_SUITE_END()
