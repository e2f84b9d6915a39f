// GET and PATCH /me: user, workspace, role, permissions and profile fields.
#include "tests/e2e/support/members.hpp"
#include "tests/e2e/support/response_helpers.hpp"

#include <deque>
#include <string>

using namespace e2e;

namespace {

const std::string all_members_may = R"("content:read","content:write","profile:read","profile:write",)"
                                    R"("api_keys:read","api_keys:write","team:read")";

} // namespace

BOOST_AUTO_TEST_SUITE(profile)

BOOST_FIXTURE_TEST_CASE(me_with_a_session_returns_user_workspace_and_permissions, account_fixture)
{
    auto me = client.get(base + "/me", token);
    BOOST_TEST(me.status == 200u);
    BOOST_TEST(me.header("Cache-Control") == "no-store");
    BOOST_TEST(member_names(me) == "user workspace role permissions credential");
    BOOST_TEST(member_names(me, "/user") ==
               "id email name title email_verified avatar_url locale timezone created_at");
    BOOST_TEST(member_names(me, "/workspace") == "id name owner_id created_at");
    BOOST_TEST(member_names(me, "/credential") == "type id scopes");
    BOOST_TEST(me.text("/user/id") == user);
    BOOST_TEST(me.text("/user/email") == "ada@example.com");
    BOOST_TEST(me.text("/workspace/id") == workspace);
    BOOST_TEST(me.text("/workspace/owner_id") == user);
    BOOST_TEST(me.text("/role") == "admin");
    BOOST_TEST(json_at(me, "/permissions") ==
               "[" + all_members_may +
                   R"(,"team:invite","team:approve","team:remove","team:roles",)"
                   R"("resources:delete","settings:manage","api_keys:admin",)"
                   R"("audit:read","tokens:introspect"])");
    BOOST_TEST(me.text("/credential/type") == "session");
    BOOST_TEST(is_uuid_v7(me.text("/credential/id")));
    BOOST_TEST(json_at(me, "/credential/scopes") == R"(["*"])");
}

BOOST_FIXTURE_TEST_CASE(me_with_a_key_returns_its_prefix_and_scopes, account_fixture)
{
    auto key = mint(R"({"name":"k","scopes":["team:roles","content:read"]})");
    auto me = client.get(base + "/me", key);
    BOOST_TEST(member_names(me) == "user workspace role permissions credential");
    BOOST_TEST(json_at(me, "/user") == "null"); // without profile:read
    BOOST_TEST(me.text("/role") == "admin");
    BOOST_TEST(json_at(me, "/permissions") == R"(["content:read","team:roles"])");
    BOOST_TEST(member_names(me, "/credential") == "type id prefix scopes");
    BOOST_TEST(me.text("/credential/type") == "api_key");
    BOOST_TEST(me.text("/credential/prefix") == prefix_of(key));
    BOOST_TEST(json_at(me, "/credential/scopes") == R"(["team:roles","content:read"])");
    BOOST_TEST(me.body.find(key) == std::string::npos);
    for (auto scope : {"profile:read", "*"}) {
        auto reader = mint(support::object({{"name", "k"}, {"scopes", {scope}}}));
        BOOST_TEST(client.get(base + "/me", reader).text("/user/id") == user, scope);
    }
}

BOOST_FIXTURE_TEST_CASE(me_with_a_workspace_key_has_no_user, account_fixture)
{
    auto me = client.get(base + "/me", mint(R"({"name":"w","owner":"workspace","role":"manager"})"));
    BOOST_TEST(me.status == 200u);
    BOOST_TEST(json_at(me, "/user") == "null");
    BOOST_TEST(me.text("/workspace/id") == workspace);
    BOOST_TEST(me.text("/role") == "manager");
    BOOST_TEST(json_at(me, "/permissions") == "[" + all_members_may + R"(,"team:invite"])");
    BOOST_TEST(me.text("/credential/type") == "api_key");
}

BOOST_FIXTURE_TEST_CASE(permissions_follow_the_role, team_fixture)
{
    auto manager = client.get(base + "/me", mel.token), member = client.get(base + "/me", bob.token);
    BOOST_TEST(manager.text("/role") == "manager");
    BOOST_TEST(json_at(manager, "/permissions") == "[" + all_members_may + R"(,"team:invite"])");
    BOOST_TEST(member.text("/role") == "member");
    BOOST_TEST(json_at(member, "/permissions") == "[" + all_members_may + "]");
    BOOST_TEST(member.text("/workspace/owner_id") == user);
}

BOOST_FIXTURE_TEST_CASE(every_profile_field_can_be_set, account_fixture)
{
    auto set = client.patch(
        base + "/me", R"({"name":"Ada L.","title":"Countess","locale":"en-GB","timezone":"Europe/London"})",
        token);
    BOOST_TEST(set.status == 200u);
    BOOST_TEST(set.text("/user/name") == "Ada L.");
    BOOST_TEST(set.text("/user/title") == "Countess");
    BOOST_TEST(set.text("/user/locale") == "en-GB");
    BOOST_TEST(set.text("/user/timezone") == "Europe/London");
    for (int i = 0; i < 8; ++i) { // on every core
        support::http_client one(server.port());
        BOOST_TEST(one.get(base + "/me", token).body == set.body);
    }
    BOOST_TEST(json_at(client.post(base + "/login", credentials("ada@example.com")), "/user") ==
               json_at(set, "/user"));
}

BOOST_FIXTURE_TEST_CASE(a_patch_keeps_absent_fields_and_clears_null_ones, account_fixture)
{
    client.patch(base + "/me", R"({"name":"Ada","title":"Countess"})", token);
    auto untouched = client.patch(base + "/me", "{}", token);
    BOOST_TEST(untouched.status == 200u);
    BOOST_TEST(untouched.text("/user/name") == "Ada");
    BOOST_TEST(untouched.text("/user/title") == "Countess");
    auto cleared = client.patch(base + "/me", R"({"title":null})", token);
    BOOST_TEST(cleared.text("/user/name") == "Ada");
    BOOST_TEST(json_at(cleared, "/user/title") == "null");
    BOOST_TEST(json_at(client.patch(base + "/me", R"({"name":null})", token), "/user/name") == "null");
    BOOST_TEST(validation_errors(client.patch(base + "/me", R"({"locale":null,"timezone":null})", token)) ==
               "body.locale string_type, body.timezone string_type");
}

BOOST_FIXTURE_TEST_CASE(all_validation_errors_are_reported_at_once_and_nothing_is_changed, account_fixture)
{
    auto before = client.get(base + "/me", token);
    auto bad =
        client.patch(base + "/me",
                     R"({"name":"","title":"a\nb","locale":"english please","timezone":"Mars/","email":)"
                     R"("eve@example.com","role":"owner"})",
                     token);
    BOOST_TEST(validation_errors(bad) ==
               "body.email extra_forbidden, body.locale string_pattern_mismatch, body.name string_too_short, "
               "body.role extra_forbidden, body.timezone string_pattern_mismatch, body.title value_error");
    BOOST_TEST(validation_errors(client.patch(base + "/me", R"({"name":"Eve","title":7})", token)) ==
               "body.title string_type");
    BOOST_TEST(client.get(base + "/me", token).body == before.body);
}

BOOST_FIXTURE_TEST_CASE(text_in_any_script_round_trips, account_fixture)
{
    for (std::string name : {"Ада Лавлейс", "愛達", "👩‍💻 \\ \" / <b>", "O'Brien; DROP TABLE users"}) {
        auto set = client.patch(base + "/me", support::object({{"name", name}}), token);
        BOOST_TEST(set.text("/user/name") == name);
    }
}

BOOST_FIXTURE_TEST_CASE(a_key_with_profile_write_can_change_its_owner, account_fixture)
{
    auto refused =
        client.patch(base + "/me", R"({"name":"Eve"})", mint(R"({"name":"r","scopes":["profile:read"]})"));
    BOOST_TEST(refused.status == 403u);
    BOOST_TEST(refused.code() == "forbidden_scope");
    BOOST_TEST(refused.text("/required") == "profile:write");
    auto writer = mint(R"({"name":"w","scopes":["profile:write"]})");
    BOOST_TEST(client.patch(base + "/me", R"({"name":"Ada"})", writer).text("/user/name") == "Ada");
    auto by_workspace_key =
        client.patch(base + "/me", R"({"name":"Eve"})", mint(R"({"name":"x","owner":"workspace"})"));
    BOOST_TEST(by_workspace_key.status == 403u);
    BOOST_TEST(by_workspace_key.code() == "forbidden");
    BOOST_TEST(client.get(base + "/me", token).text("/user/name") == "Ada");
}

BOOST_FIXTURE_TEST_CASE(a_patch_changes_the_caller_only, team_fixture)
{
    client.patch(base + "/me", R"({"name":"Boss"})", token);
    BOOST_TEST(json_at(client.get(base + "/me", bob.token), "/user/name") == "null");
    BOOST_TEST(json_at(client.get(base + "/me", mel.token), "/user/name") == "null");
}

BOOST_AUTO_TEST_SUITE_END()
