// What somebody may do who waits to be let in, and what they may not.
#include "handlers/routes.hpp"
#include "tests/e2e/support/domain_fixture.hpp"

#include <string>

using namespace flows;

namespace {

struct one_waits : domain {
    person zoe = verified_newcomer("zoe@example.com");
};

std::string example_of(std::string path)
{
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{'))
        path.replace(open, path.find('}') - open + 1, "01890a5d-ac96-774b-bcce-b302099a8057");
    return path;
}

} // namespace

BOOST_AUTO_TEST_SUITE(pending_members)

BOOST_FIXTURE_TEST_CASE(they_sign_in_and_see_themselves_and_sign_out, one_waits)
{
    auto again = client.post(base + "/login", credentials("zoe@example.com"));
    BOOST_TEST(again.status == 200u);
    BOOST_TEST(at(again, "/workspace") == "null");
    auto with = again.text("/access_token");
    auto me = client.get(base + "/me", with);
    BOOST_TEST(me.status == 200u);
    BOOST_TEST(me.text("/user/email") == "zoe@example.com");
    BOOST_TEST(at(me, "/workspace") == "null");
    BOOST_TEST(at(me, "/role") == "null");
    BOOST_TEST(at(me, "/permissions") == "[]");
    BOOST_TEST(client.patch(base + "/me", R"({"name":"Zoe"})", with).text("/user/name") == "Zoe");
    BOOST_TEST(client.get(base + "/me/notifications", with).status == 200u);
    auto none = client.get(base + "/workspaces", with);
    BOOST_TEST(at(none, "") == R"({"items":[],"next_cursor":null,"total":0})");
    BOOST_TEST(refreshed_to(zoe) == "");
    BOOST_TEST(post("/logout", "", with).status == 204u);
    BOOST_TEST(everywhere(server, to_get("/me", with)) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(they_accept_invites_make_a_workspace_and_may_go, one_waits)
{
    auto eve = sign_up(client, "eve@example.net");
    invite_one("zoe@example.com", "manager", eve.token);
    auto came = accept(token_to("zoe@example.com"), zoe.token);
    BOOST_TEST(came.text("/workspace/id") == eve.workspace);
    BOOST_TEST(at(requests(), "/total") == "1"); // which has nothing to do with it
    BOOST_TEST(client.get(base + "/team", came.text("/access_token")).status == 200u);
    BOOST_TEST(post("/workspaces", R"({"name":"Own"})", zoe.token).status == 201u);
    BOOST_TEST(verdict(post("/workspaces/" + workspace + "/switch", "", zoe.token)) == "404 not_found");
    BOOST_TEST(verdict(client.get(base + "/team", zoe.token)) ==
               "403 pending_approval"); // by this token still
    BOOST_REQUIRE(approve(zoe.user).status == 200u);
    BOOST_TEST(at(client.get(base + "/workspaces", zoe.token), "/total") == "3");

    auto yan = verified_newcomer("yan@example.com");
    BOOST_TEST(
        client.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})", yan.token)
            .status == 204u);
    BOOST_TEST(at(requests(), "/total") == "0");
}

BOOST_FIXTURE_TEST_CASE(every_other_route_tells_them_to_wait, one_waits)
{
    int refused = 0;
    for (auto& route : handlers::all_routes()) {
        std::string path(route.path);
        if (route.who.who == handlers::guard::kind::anyone ||
            route.who.who == handlers::guard::kind::unlimited)
            continue;
        if (!route.who.needs_workspace) {
            bool is_allowed = path.starts_with(base + "/me") || path.starts_with(base + "/workspaces") ||
                              path == base + "/logout" || path == "/mcp";
            BOOST_TEST(is_allowed, path);
            continue;
        }
        auto method = route.method == support::http::verb::unknown ? support::http::verb::get : route.method;
        auto body = method == support::http::verb::get || method == support::http::verb::delete_ ? "" : "{}";
        auto answer = client.send(method, example_of(path), body, zoe.token);
        BOOST_TEST(verdict(answer) == "403 pending_approval", path);
        BOOST_TEST(at(answer, "/required") == "", path);
        ++refused;
    }
    BOOST_TEST(refused > 30);
    BOOST_TEST(everywhere(server, to_get("/team", zoe.token)) == "403 pending_approval");
    auto gate = client.get(base + "/auth?deny_status=403", zoe.token);
    BOOST_TEST(gate.header("X-Auth-Reason") == "pending_approval");
}

BOOST_FIXTURE_TEST_CASE(being_let_in_or_turned_away_counts_on_the_very_next_request, one_waits)
{
    auto yan = verified_newcomer("yan@example.com");
    for (auto& who : {zoe, yan})
        BOOST_TEST(everywhere(server, to_get("/sessions", who.token)) == "403 pending_approval");
    BOOST_REQUIRE(approve(zoe.user).status == 200u);
    BOOST_REQUIRE(reject(yan.user).status == 204u);
    // Neither token names a workspace, but nobody waits any more.
    for (auto& who : {zoe, yan})
        BOOST_TEST(everywhere(server, to_get("/sessions", who.token)) == "403 forbidden_scope");
}

BOOST_AUTO_TEST_SUITE_END()
