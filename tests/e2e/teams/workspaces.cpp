// Several workspaces of one person: a new one, the list of them, and the way from one to another.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"

#include <string>

using namespace flows;

namespace {

/// Bob is a member of Ada's workspace, to which his token leads, and owns one of his own.
struct commuting : team {
    using team::team;

    support::response list(const std::string& with, const std::string& query = "")
    {
        return client.get(base + "/workspaces" + query, with);
    }

    support::response create(const std::string& with, const std::string& body = R"({"name":"Second"})")
    {
        return client.post(base + "/workspaces", body, with);
    }

    support::response go(const std::string& with, const std::string& to)
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
    std::string place_of(const std::string& credential)
    {
        return client.get(base + "/me", credential).text("/workspace/id");
    }

    std::string own = db.sql("SELECT id FROM workspaces WHERE owner_id = '" + bob.user + "'");
};

} // namespace

BOOST_AUTO_TEST_SUITE(workspaces)

BOOST_FIXTURE_TEST_CASE(the_list_says_what_one_is_where_and_which_is_current, commuting)
{
    auto page = list(bob.token);
    BOOST_TEST(page.status == 200u);
    BOOST_TEST(members(page) == "items next_cursor total");
    BOOST_TEST(members(page, "/items/0") == "id name owner_id created_at role is_owner joined_at current");
    BOOST_TEST(join(texts(page, "id")) == workspace + " " + own); // the older first
    BOOST_TEST(page.text("/items/0/name") == "ada's workspace");
    BOOST_TEST(page.text("/items/0/owner_id") == user);
    BOOST_TEST(page.text("/items/0/role") == "member");
    BOOST_TEST(at(page, "/items/0/is_owner") == "false");
    BOOST_TEST(at(page, "/items/0/current") == "true");
    BOOST_TEST(is_recent(page.text("/items/0/joined_at")));
    BOOST_TEST(page.text("/items/1/role") == "admin");
    BOOST_TEST(at(page, "/items/1/is_owner") == "true");
    BOOST_TEST(at(page, "/items/1/current") == "false");
    BOOST_TEST(at(page, "/total") == "2");

    auto there = go(bob.token, own).text("/access_token");
    BOOST_TEST(at(list(there), "/items/0/current") == "false");
    BOOST_TEST(at(list(there), "/items/1/current") == "true");
    auto key = client.post(base + "/api-keys", R"({"name":"k"})", bob.token).text("/secret");
    BOOST_TEST(at(list(key), "/items/0/current") == "true"); // a key names its own
}

BOOST_FIXTURE_TEST_CASE(the_list_comes_by_pages_for_whom_it_is_and_for_nobody_else, commuting)
{
    auto first = list(bob.token, "?limit=1");
    BOOST_TEST(join(texts(first, "id")) == workspace);
    auto cursor = first.text("/next_cursor");
    auto second = list(bob.token, "?limit=1&cursor=" + cursor);
    BOOST_TEST(join(texts(second, "id")) == own);
    BOOST_TEST(at(second, "/next_cursor") == "null");
    BOOST_TEST(at(second, "/total") == "2");

    BOOST_TEST(verdict(list(mel.token, "?cursor=" + cursor)) == "400 invalid_cursor");
    BOOST_TEST(verdict(list(bob.token, "?cursor=")) == "400 invalid_cursor");
    BOOST_TEST(verdict(list(bob.token, "?cursor=" + cursor + "x")) == "400 invalid_cursor");
    BOOST_TEST(verdict(client.get(base + "/sessions?cursor=" + cursor, bob.token)) == "400 invalid_cursor");
    BOOST_TEST(faults(list(bob.token, "?limit=0")) == "query.limit greater_than_equal");
    BOOST_TEST(verdict(list("")) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(workspaces_are_a_persons_and_no_key_of_a_workspace_has_any, commuting)
{
    auto nobody = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    BOOST_TEST(verdict(list(nobody)) == "403 forbidden");
    BOOST_TEST(verdict(create(nobody)) == "403 forbidden");
    auto reader = mint(R"({"name":"r","scopes":["profile:read"]})");
    BOOST_TEST(list(reader).status == 200u);
    BOOST_TEST(create(reader).text("/required") == "profile:write");
    BOOST_TEST(list(mint(R"({"name":"c","scopes":["content:read"]})")).text("/required") == "profile:read");
}

BOOST_FIXTURE_TEST_CASE(whoever_makes_one_owns_it_and_stays_where_they_are, commuting)
{
    auto made = create(bob.token, R"({"name":"Brücke & Söhne"})");
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(members(made) == "id name owner_id created_at role is_owner joined_at current");
    BOOST_TEST(is_id(made.text("/id")));
    BOOST_TEST(made.text("/name") == "Brücke & Söhne");
    BOOST_TEST(made.text("/owner_id") == bob.user);
    BOOST_TEST(made.text("/role") == "admin");
    BOOST_TEST(at(made, "/is_owner") == "true");
    BOOST_TEST(at(made, "/current") == "false");
    BOOST_TEST(is_recent(made.text("/created_at")));
    BOOST_TEST(is_recent(made.text("/joined_at")));
    BOOST_TEST(at(list(bob.token), "/total") == "3");
    BOOST_TEST(place_of(bob.token) == workspace);
    BOOST_TEST(place_of(refresh(bob.refresh_token).text("/access_token")) == workspace);

    auto there = go(bob.token, made.text("/id")).text("/access_token");
    auto me = client.get(base + "/me", there);
    BOOST_TEST(me.text("/workspace/name") == "Brücke & Söhne");
    BOOST_TEST(me.text("/role") == "admin");
    BOOST_TEST(verdict(go(mel.token, made.text("/id"))) == "404 not_found");
}

BOOST_FIXTURE_TEST_CASE(a_name_has_to_be_one, commuting)
{
    BOOST_TEST(faults(create(bob.token, "{}")) == "body.name missing");
    for (std::string name : {"", "   ", "\n"})
        BOOST_TEST(faults(create(bob.token, support::object({{"name", name}}))).starts_with("body.name "));
    BOOST_TEST(faults(create(bob.token, support::object({{"name", std::string(101, 'x')}}))) ==
               "body.name string_too_long");
    BOOST_TEST(create(bob.token, support::object({{"name", std::string(100, 'x')}})).status == 201u);
    BOOST_TEST(faults(create(bob.token, R"({"name":null,"owner_id":"x"})")) ==
               "body.name string_type, body.owner_id extra_forbidden");
    BOOST_TEST(at(list(bob.token), "/total") == "3");
}

BOOST_AUTO_TEST_CASE(nobody_makes_them_by_the_dozen)
{
    commuting world({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    for (int i = 0; i < 20; ++i)
        BOOST_TEST(world.create(world.bob.token).status == 201u);
    auto key = world.client.post(base + "/api-keys", R"({"name":"k"})", world.bob.token).text("/secret");
    for (auto& credential : {world.bob.token, key}) {
        auto over = world.create(credential);
        BOOST_TEST(verdict(over) == "429 rate_limited");
        BOOST_TEST(over.header("RateLimit-Policy") == R"("workspaces";q=20;w=3600)");
        BOOST_TEST(!over.header("Retry-After").empty());
    }
    BOOST_TEST(world.create(world.mel.token).status == 201u);
}

BOOST_FIXTURE_TEST_CASE(a_switch_gives_a_token_for_the_other_workspace_and_the_session_goes_on, commuting)
{
    auto switched = go(bob.token, own);
    BOOST_TEST(switched.status == 200u);
    BOOST_TEST(members(switched) == "access_token token_type expires_in workspace membership");
    BOOST_TEST(switched.text("/workspace/id") == own);
    BOOST_TEST(members(switched, "/membership") == "role is_owner joined_at");
    BOOST_TEST(switched.text("/membership/role") == "admin");
    BOOST_TEST(at(switched, "/expires_in") == "3600");
    auto there = switched.text("/access_token");
    auto before = part_of(bob.token, 1), now = part_of(there, 1);
    BOOST_TEST(now.text("/wid") == own);
    BOOST_TEST(now.text("/role") == "admin");
    BOOST_TEST(now.text("/sid") == before.text("/sid"));
    BOOST_TEST(now.text("/sub") == before.text("/sub"));
    BOOST_TEST(now.text("/jti") != before.text("/jti"));

    BOOST_TEST(place_of(there) == own);
    BOOST_TEST(place_of(bob.token) == workspace); // a token names what it was made for, to its end
    BOOST_TEST(at(client.get(base + "/sessions", there), "/total") == "2"); // of sign-up and sign-in
    BOOST_TEST(client.post(base + "/logout", "", there).status == 204u);
    BOOST_TEST(verdict(client.get(base + "/me", bob.token)) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(what_comes_after_a_switch_leads_there_too, commuting)
{
    BOOST_REQUIRE(go(bob.token, own).status == 200u);
    auto renewed = refresh(bob.refresh_token);
    BOOST_TEST(renewed.text("/workspace/id") == own);
    BOOST_TEST(place_of(renewed.text("/access_token")) == own);
    BOOST_TEST(log_in(client, "bob@example.com").workspace == own);
    BOOST_REQUIRE(go(bob.token, workspace).status == 200u);
    BOOST_TEST(log_in(client, "bob@example.com").workspace == workspace);
    BOOST_TEST(go(bob.token, workspace).status == 200u); // where it leads already
}

BOOST_FIXTURE_TEST_CASE(nobody_gets_where_they_do_not_belong, commuting)
{
    auto mels = db.sql("SELECT id FROM workspaces WHERE owner_id = '" + mel.user + "'");
    for (auto& to : {mels, std::string("01890a5d-ac96-774b-bcce-b302099a8057"), std::string("x")})
        BOOST_TEST(verdict(go(bob.token, to)) == "404 not_found", to);
    BOOST_TEST(place_of(refresh(bob.refresh_token).text("/access_token")) == workspace);

    auto key = client.post(base + "/api-keys", R"({"name":"k"})", bob.token).text("/secret");
    BOOST_TEST(verdict(go(key, own)) == "403 forbidden");
    BOOST_TEST(verdict(go(key, mels)) == "403 forbidden");
    BOOST_TEST(verdict(go(mint(R"({"name":"w","owner":"workspace","role":"admin"})"), workspace)) ==
               "403 forbidden");
    BOOST_TEST(verdict(go("", own)) == "401 unauthorized");
}

BOOST_FIXTURE_TEST_CASE(a_refresh_can_name_a_workspace_without_the_session_moving, commuting)
{
    auto aside = refresh(bob.refresh_token, own);
    BOOST_TEST(aside.status == 200u);
    BOOST_TEST(aside.text("/workspace/id") == own);
    BOOST_TEST(place_of(aside.text("/access_token")) == own);
    BOOST_TEST(part_of(aside.text("/access_token"), 1).text("/role") == "admin");
    BOOST_TEST(part_of(aside.text("/access_token"), 1).text("/sid") == part_of(bob.token, 1).text("/sid"));
    auto next = refresh(aside.text("/refresh_token"));
    BOOST_TEST(next.text("/workspace/id") == workspace);
    BOOST_TEST(log_in(client, "bob@example.com").workspace == workspace);
}

BOOST_FIXTURE_TEST_CASE(a_refresh_for_a_foreign_workspace_spends_nothing, commuting)
{
    auto mels = db.sql("SELECT id FROM workspaces WHERE owner_id = '" + mel.user + "'");
    for (int i = 0; i < 3; ++i)
        BOOST_TEST(verdict(refresh(bob.refresh_token, mels)) == "404 not_found");
    BOOST_TEST(faults(refresh(bob.refresh_token, "mine")) == "body.workspace_id uuid_parsing");
    auto first = refresh(bob.refresh_token);
    BOOST_TEST(first.status == 200u);
    // The successor is the first that there has been: what was refused is not even counted as a retry.
    BOOST_TEST(db.sql("SELECT refresh_counter FROM sessions WHERE id = '" +
                      part_of(bob.token, 1).text("/sid") + "'") == "1");
    BOOST_TEST(refresh(first.text("/refresh_token")).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_garbage_refresh_token_is_told_nothing_of_workspaces, commuting)
{
    auto forged = bob.refresh_token;
    forged.back() = forged.back() == 'A' ? 'B' : 'A';
    BOOST_TEST(verdict(refresh(forged, own)) == verdict(refresh(forged, workspace)));
    BOOST_TEST(verdict(refresh("x", own)) == "401 unauthorized");
}

BOOST_AUTO_TEST_SUITE_END()
