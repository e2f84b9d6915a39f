// Accounts pending approval: the routes open to them, and those that answer pending_approval.
#include "handlers/routes.hpp"
#include "tests/e2e/support/domain_fixture.hpp"

#include <string>

using namespace e2e;

namespace {

struct pending_member_fixture : domain_fixture {
    person zoe = sign_up_verified("zoe@example.com");
};

std::string example_of(std::string path)
{
    for (auto open = path.find('{'); open != std::string::npos; open = path.find('{'))
        path.replace(open, path.find('}') - open + 1, "01890a5d-ac96-774b-bcce-b302099a8057");
    return path;
}

} // namespace

BOOST_AUTO_TEST_SUITE(pending_members)

BOOST_FIXTURE_TEST_CASE(a_pending_account_can_log_in_read_its_profile_and_log_out, pending_member_fixture)
{
    auto again = client.post(base + "/login", credentials("zoe@example.com"));
    BOOST_TEST(again.status == 200u);
    BOOST_TEST(json_at(again, "/workspace") == "null");
    auto with = again.text("/access_token");
    auto me = client.get(base + "/me", with);
    BOOST_TEST(me.status == 200u);
    BOOST_TEST(me.text("/user/email") == "zoe@example.com");
    BOOST_TEST(json_at(me, "/workspace") == "null");
    BOOST_TEST(json_at(me, "/role") == "null");
    BOOST_TEST(json_at(me, "/permissions") == "[]");
    BOOST_TEST(client.patch(base + "/me", R"({"name":"Zoe"})", with).text("/user/name") == "Zoe");
    BOOST_TEST(client.get(base + "/me/notifications", with).status == 200u);
    auto none = client.get(base + "/workspaces", with);
    BOOST_TEST(json_at(none, "") == R"({"items":[],"next_cursor":null,"total":0})");
    BOOST_TEST(refresh_workspace(zoe) == "");
    BOOST_TEST(post("/logout", "", with).status == 204u);
    BOOST_TEST(on_all_cores(server, get_request("/me", with)) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(a_pending_account_can_accept_invites_create_a_workspace_and_delete_itself,
                        pending_member_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    verify_address("eve@example.net");
    invite_one("zoe@example.com", "manager", eve.token);
    auto came = accept(emailed_token("zoe@example.com"), zoe.token);
    BOOST_TEST(came.text("/workspace/id") == eve.workspace);
    BOOST_TEST(json_at(requests(), "/total") == "1"); // the join request is unaffected
    BOOST_TEST(client.get(base + "/team", came.text("/access_token")).status == 200u);
    BOOST_TEST(post("/workspaces", R"({"name":"Own"})", zoe.token).status == 201u);
    BOOST_TEST(summary(post("/workspaces/" + workspace + "/switch", "", zoe.token)) == "404 not_found");
    BOOST_TEST(summary(client.get(base + "/team", zoe.token)) ==
               "403 pending_approval"); // as long as this token is used
    BOOST_REQUIRE(approve(zoe.user).status == 200u);
    BOOST_TEST(json_at(client.get(base + "/workspaces", zoe.token), "/total") == "3");

    auto yan = sign_up_verified("yan@example.com");
    BOOST_TEST(
        client.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})", yan.token)
            .status == 204u);
    BOOST_TEST(json_at(requests(), "/total") == "0");
}

BOOST_FIXTURE_TEST_CASE(every_other_route_answers_pending_approval, pending_member_fixture)
{
    int refused = 0;
    for (auto& route : handlers::all_routes()) {
        std::string path(route.path);
        if (route.guard.kind == handlers::guard_kind::anyone ||
            route.guard.kind == handlers::guard_kind::unlimited)
            continue;
        if (!route.guard.needs_workspace) {
            bool is_allowed = path.starts_with(base + "/me") || path.starts_with(base + "/workspaces") ||
                              path == base + "/logout" || path == "/mcp" || path.starts_with("/session");
            BOOST_TEST(is_allowed, path);
            continue;
        }
        auto method = route.method == support::http::verb::unknown ? support::http::verb::get : route.method;
        auto body = method == support::http::verb::get || method == support::http::verb::delete_ ? "" : "{}";
        auto answer = client.send(method, example_of(path), body, zoe.token);
        BOOST_TEST(summary(answer) == "403 pending_approval", path);
        BOOST_TEST(json_at(answer, "/required") == "", path);
        ++refused;
    }
    BOOST_TEST(refused > 30);
    BOOST_TEST(on_all_cores(server, get_request("/team", zoe.token)) == "403 pending_approval");
    auto gate = client.get(base + "/auth?deny_status=403", zoe.token);
    BOOST_TEST(gate.header("X-Auth-Reason") == "pending_approval");
}

BOOST_FIXTURE_TEST_CASE(a_decision_takes_effect_on_the_next_request, pending_member_fixture)
{
    auto yan = sign_up_verified("yan@example.com");
    for (auto& who : {zoe, yan})
        BOOST_TEST(on_all_cores(server, get_request("/sessions", who.token)) == "403 pending_approval");
    BOOST_REQUIRE(approve(zoe.user).status == 200u);
    BOOST_REQUIRE(reject(yan.user).status == 204u);
    // Neither token names a workspace, but neither account is pending any more.
    for (auto& who : {zoe, yan})
        BOOST_TEST(on_all_cores(server, get_request("/sessions", who.token)) == "403 forbidden_scope");
}

BOOST_AUTO_TEST_SUITE_END()
