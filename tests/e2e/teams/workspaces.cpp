// Several workspaces of one account: create, list, switch, and refresh for another.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/support/forge.hpp"

#include <string>

using namespace e2e;

namespace {

/// Bob has a token for Ada's workspace, of which he is a member, and owns another.
struct workspaces_fixture : team_fixture {
    using team_fixture::team_fixture;

    support::response list(const std::string& with, const std::string& query = "")
    {
        return client.get(base + "/workspaces" + query, with);
    }

    support::response create(const std::string& with, const std::string& body = R"({"name":"Second"})")
    {
        return client.post(base + "/workspaces", body, with);
    }

    support::response switch_to(const std::string& with, const std::string& to)
    {
        return client.post(base + "/workspaces/" + to + "/switch", "", with);
    }

    support::response refresh(const std::string& with, const std::string& to = "")
    {
        auto body = to.empty() ? support::object({{"refresh_token", with}})
                               : support::object({{"refresh_token", with}, {"workspace_id", to}});
        return client.post(base + "/token/refresh", body);
    }

    /// The workspace that a credential names.
    std::string workspace_of(const std::string& credential)
    {
        return client.get(base + "/me", credential).text("/workspace/id");
    }

    std::string own = db.sql("SELECT id FROM workspaces WHERE owner_id = '" + bob.user + "'");
};

} // namespace

BOOST_AUTO_TEST_SUITE(workspaces)

BOOST_FIXTURE_TEST_CASE(the_list_has_the_role_in_each_workspace_and_marks_the_current_one, workspaces_fixture)
{
    auto page = list(bob.token);
    BOOST_TEST(page.status == 200u);
    BOOST_TEST(member_names(page) == "items next_cursor total");
    BOOST_TEST(member_names(page, "/items/0") ==
               "id name owner_id created_at role is_owner joined_at current");
    BOOST_TEST(join(item_texts(page, "id")) == workspace + " " + own); // oldest first
    BOOST_TEST(page.text("/items/0/name") == "ada's workspace");
    BOOST_TEST(page.text("/items/0/owner_id") == user);
    BOOST_TEST(page.text("/items/0/role") == "member");
    BOOST_TEST(json_at(page, "/items/0/is_owner") == "false");
    BOOST_TEST(json_at(page, "/items/0/current") == "true");
    BOOST_TEST(is_recent(page.text("/items/0/joined_at")));
    BOOST_TEST(page.text("/items/1/role") == "admin");
    BOOST_TEST(json_at(page, "/items/1/is_owner") == "true");
    BOOST_TEST(json_at(page, "/items/1/current") == "false");
    BOOST_TEST(json_at(page, "/total") == "2");

    auto there = switch_to(bob.token, own).text("/access_token");
    BOOST_TEST(json_at(list(there), "/items/0/current") == "false");
    BOOST_TEST(json_at(list(there), "/items/1/current") == "true");
    auto key = client.post(base + "/api-keys", R"({"name":"k"})", bob.token).text("/secret");
    BOOST_TEST(json_at(list(key), "/items/0/current") == "true"); // the key's workspace
}

BOOST_FIXTURE_TEST_CASE(the_list_is_paginated_and_cursors_are_bound_to_the_account, workspaces_fixture)
{
    auto first = list(bob.token, "?limit=1");
    BOOST_TEST(join(item_texts(first, "id")) == workspace);
    auto cursor = first.text("/next_cursor");
    auto second = list(bob.token, "?limit=1&cursor=" + cursor);
    BOOST_TEST(join(item_texts(second, "id")) == own);
    BOOST_TEST(json_at(second, "/next_cursor") == "null");
    BOOST_TEST(json_at(second, "/total") == "2");

    BOOST_TEST(summary(list(mel.token, "?cursor=" + cursor)) == "400 invalid_cursor");
    BOOST_TEST(summary(list(bob.token, "?cursor=")) == "400 invalid_cursor");
    BOOST_TEST(summary(list(bob.token, "?cursor=" + cursor + "x")) == "400 invalid_cursor");
    BOOST_TEST(summary(client.get(base + "/sessions?cursor=" + cursor, bob.token)) == "400 invalid_cursor");
    BOOST_TEST(validation_errors(list(bob.token, "?limit=0")) == "query.limit greater_than_equal");
    BOOST_TEST(summary(list("")) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(keys_owned_by_a_workspace_cannot_list_or_create_workspaces, workspaces_fixture)
{
    auto workspace_key = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    BOOST_TEST(summary(list(workspace_key)) == "403 forbidden");
    BOOST_TEST(summary(create(workspace_key)) == "403 forbidden");
    auto reader = mint(R"({"name":"r","scopes":["profile:read"]})");
    BOOST_TEST(list(reader).status == 200u);
    BOOST_TEST(create(reader).text("/required") == "profile:write");
    BOOST_TEST(list(mint(R"({"name":"c","scopes":["content:read"]})")).text("/required") == "profile:read");
}

BOOST_FIXTURE_TEST_CASE(creating_a_workspace_makes_the_caller_owner_without_switching, workspaces_fixture)
{
    auto made = create(bob.token, R"({"name":"Brücke & Söhne"})");
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(member_names(made) == "id name owner_id created_at role is_owner joined_at current");
    BOOST_TEST(is_uuid_v7(made.text("/id")));
    BOOST_TEST(made.text("/name") == "Brücke & Söhne");
    BOOST_TEST(made.text("/owner_id") == bob.user);
    BOOST_TEST(made.text("/role") == "admin");
    BOOST_TEST(json_at(made, "/is_owner") == "true");
    BOOST_TEST(json_at(made, "/current") == "false");
    BOOST_TEST(is_recent(made.text("/created_at")));
    BOOST_TEST(is_recent(made.text("/joined_at")));
    BOOST_TEST(json_at(list(bob.token), "/total") == "3");
    BOOST_TEST(workspace_of(bob.token) == workspace);
    BOOST_TEST(workspace_of(refresh(bob.refresh_token).text("/access_token")) == workspace);

    auto there = switch_to(bob.token, made.text("/id")).text("/access_token");
    auto me = client.get(base + "/me", there);
    BOOST_TEST(me.text("/workspace/name") == "Brücke & Söhne");
    BOOST_TEST(me.text("/role") == "admin");
    BOOST_TEST(summary(switch_to(mel.token, made.text("/id"))) == "404 not_found");
}

BOOST_FIXTURE_TEST_CASE(an_empty_name_is_rejected, workspaces_fixture)
{
    BOOST_TEST(validation_errors(create(bob.token, "{}")) == "body.name missing");
    for (std::string name : {"", "   ", "\n"})
        BOOST_TEST(validation_errors(create(bob.token, support::object({{"name", name}})))
                       .starts_with("body.name "));
    BOOST_TEST(validation_errors(create(bob.token, support::object({{"name", std::string(101, 'x')}}))) ==
               "body.name string_too_long");
    BOOST_TEST(create(bob.token, support::object({{"name", std::string(100, 'x')}})).status == 201u);
    BOOST_TEST(validation_errors(create(bob.token, R"({"name":null,"owner_id":"x"})")) ==
               "body.name string_type, body.owner_id extra_forbidden");
    BOOST_TEST(json_at(list(bob.token), "/total") == "3");
}

BOOST_AUTO_TEST_CASE(creating_workspaces_is_limited)
{
    workspaces_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(fixture.create(fixture.bob.token).status == 201u);
    auto key = fixture.client.post(base + "/api-keys", R"({"name":"k"})", fixture.bob.token).text("/secret");
    for (auto& credential : {fixture.bob.token, key}) {
        auto over = fixture.create(credential);
        BOOST_TEST(summary(over) == "429 rate_limited");
        BOOST_TEST(over.header("RateLimit-Policy") == R"("workspaces";q=20;w=3600)");
        BOOST_TEST(!over.header("Retry-After").empty());
    }
    BOOST_TEST(fixture.create(fixture.mel.token).status == 201u);
}

BOOST_FIXTURE_TEST_CASE(a_switch_returns_a_token_for_the_workspace_and_keeps_the_session, workspaces_fixture)
{
    auto switched = switch_to(bob.token, own);
    BOOST_TEST(switched.status == 200u);
    BOOST_TEST(member_names(switched) == "access_token token_type expires_in workspace membership");
    BOOST_TEST(switched.text("/workspace/id") == own);
    BOOST_TEST(member_names(switched, "/membership") == "role is_owner joined_at");
    BOOST_TEST(switched.text("/membership/role") == "admin");
    BOOST_TEST(json_at(switched, "/expires_in") == "3600");
    auto there = switched.text("/access_token");
    auto before = jwt_part(bob.token, 1), now = jwt_part(there, 1);
    BOOST_TEST(now.text("/wid") == own);
    BOOST_TEST(now.text("/role") == "admin");
    BOOST_TEST(now.text("/sid") == before.text("/sid"));
    BOOST_TEST(now.text("/sub") == before.text("/sub"));
    BOOST_TEST(now.text("/jti") != before.text("/jti"));

    BOOST_TEST(workspace_of(there) == own);
    BOOST_TEST(workspace_of(bob.token) == workspace); // an access token keeps its workspace until it expires
    BOOST_TEST(json_at(client.get(base + "/sessions", there), "/total") == "2"); // from sign-up and login
    BOOST_TEST(client.post(base + "/logout", "", there).status == 204u);
    BOOST_TEST(summary(client.get(base + "/me", bob.token)) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(later_refreshes_and_logins_follow_a_switch, workspaces_fixture)
{
    BOOST_REQUIRE(switch_to(bob.token, own).status == 200u);
    auto renewed = refresh(bob.refresh_token);
    BOOST_TEST(renewed.text("/workspace/id") == own);
    BOOST_TEST(workspace_of(renewed.text("/access_token")) == own);
    BOOST_TEST(log_in(client, "bob@example.com").workspace == own);
    BOOST_REQUIRE(switch_to(bob.token, workspace).status == 200u);
    BOOST_TEST(log_in(client, "bob@example.com").workspace == workspace);
    BOOST_TEST(switch_to(bob.token, workspace).status == 200u); // the current workspace
}

BOOST_FIXTURE_TEST_CASE(switching_requires_a_membership, workspaces_fixture)
{
    auto mels = db.sql("SELECT id FROM workspaces WHERE owner_id = '" + mel.user + "'");
    for (auto& to : {mels, std::string("01890a5d-ac96-774b-bcce-b302099a8057"), std::string("x")})
        BOOST_TEST(summary(switch_to(bob.token, to)) == "404 not_found", to);
    BOOST_TEST(workspace_of(refresh(bob.refresh_token).text("/access_token")) == workspace);

    auto key = client.post(base + "/api-keys", R"({"name":"k"})", bob.token).text("/secret");
    BOOST_TEST(summary(switch_to(key, own)) == "403 forbidden");
    BOOST_TEST(summary(switch_to(key, mels)) == "403 forbidden");
    BOOST_TEST(summary(switch_to(mint(R"({"name":"w","owner":"workspace","role":"admin"})"), workspace)) ==
               "403 forbidden");
    BOOST_TEST(summary(switch_to("", own)) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(a_refresh_can_name_a_workspace_without_switching_the_session, workspaces_fixture)
{
    auto aside = refresh(bob.refresh_token, own);
    BOOST_TEST(aside.status == 200u);
    BOOST_TEST(aside.text("/workspace/id") == own);
    BOOST_TEST(workspace_of(aside.text("/access_token")) == own);
    BOOST_TEST(jwt_part(aside.text("/access_token"), 1).text("/role") == "admin");
    BOOST_TEST(jwt_part(aside.text("/access_token"), 1).text("/sid") == jwt_part(bob.token, 1).text("/sid"));
    auto next = refresh(aside.text("/refresh_token"));
    BOOST_TEST(next.text("/workspace/id") == workspace);
    BOOST_TEST(log_in(client, "bob@example.com").workspace == workspace);
}

BOOST_FIXTURE_TEST_CASE(a_refresh_for_a_foreign_workspace_does_not_consume_the_token, workspaces_fixture)
{
    auto mels = db.sql("SELECT id FROM workspaces WHERE owner_id = '" + mel.user + "'");
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(summary(refresh(bob.refresh_token, mels)) == "404 not_found");
    BOOST_TEST(validation_errors(refresh(bob.refresh_token, "mine")) == "body.workspace_id uuid_parsing");
    auto first = refresh(bob.refresh_token);
    BOOST_TEST(first.status == 200u);
    // The next refresh is the first: the rejected attempts do not count as reuse of the token.
    BOOST_TEST(db.sql("SELECT refresh_counter FROM sessions WHERE id = '" +
                      jwt_part(bob.token, 1).text("/sid") + "'") == "1");
    BOOST_TEST(refresh(first.text("/refresh_token")).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(an_invalid_refresh_token_reveals_nothing_about_workspaces, workspaces_fixture)
{
    auto forged = support::forge(bob.refresh_token);
    BOOST_TEST(summary(refresh(forged, own)) == summary(refresh(forged, workspace)));
    BOOST_TEST(summary(refresh("x", own)) == "401 unauthorized");
}

BOOST_AUTO_TEST_SUITE_END()
