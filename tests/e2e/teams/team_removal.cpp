// Removing a member or leaving, and the keys, sessions and invites that end with the membership.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <set>
#include <string>

using namespace e2e;

namespace {

struct removal_fixture : invite_fixture {
    support::response remove(const std::string& with, const std::string& member)
    {
        return client.del(base + "/team/" + member, with);
    }

    support::response preview_removal(const std::string& with, const std::string& member,
                                      const std::string& query = "")
    {
        return client.get(base + "/team/" + member + "/removal-preview" + query, with);
    }

    std::string key_of(const std::string& with, const std::string& body = R"({"name":"k"})")
    {
        auto made = post("/api-keys", body, with);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/secret");
    }

    std::string own_workspace_of(const person& who)
    {
        return db.sql("SELECT id FROM workspaces WHERE owner_id = '" + who.user + "'");
    }

    /// An access token of the same session for another workspace.
    std::string switched(const std::string& with, const std::string& to)
    {
        return post("/workspaces/" + to + "/switch", "", with).text("/access_token");
    }

    std::string status_of(const std::string& credential)
    {
        return on_all_cores(server, get_request("/me", credential));
    }

    unsigned refresh(const std::string& with)
    {
        return post("/token/refresh", support::object({{"refresh_token", with}})).status;
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(team_removal)

BOOST_FIXTURE_TEST_CASE(only_keys_and_tokens_of_the_workspace_end, removal_fixture)
{
    BOOST_REQUIRE(client.patch(base + "/team/" + mel.user, R"({"role":"admin"})", token).status == 200u);
    auto own = own_workspace_of(mel);
    auto again = log_in(client, "mel@example.com"), elsewhere = log_in(client, "mel@example.com");
    auto at_home = switched(elsewhere.token, own);
    auto key = key_of(mel.token), key_at_home = key_of(at_home);
    auto workspace_key = key_of(mel.token, R"({"name":"w","owner":"workspace","role":"member"})");
    for (auto& credential :
         {mel.token, again.token, elsewhere.token, at_home, key, key_at_home, workspace_key})
        BOOST_TEST(status_of(credential) == "200"); // so that every core has cached them

    auto gone = remove(token, mel.user);
    BOOST_TEST(gone.status == 204u);
    BOOST_TEST(gone.body.empty());
    for (auto& dead : {mel.token, again.token, elsewhere.token, key})
        BOOST_TEST(status_of(dead) == "401 unauthorized");
    for (auto& alive : {at_home, key_at_home, workspace_key, token, bob.token})
        BOOST_TEST(status_of(alive) == "200");
    for (auto& session : {mel, again, elsewhere}) { // the sessions go on in the other workspace
        auto renewed = post("/token/refresh", support::object({{"refresh_token", session.refresh_token}}));
        BOOST_TEST(renewed.status == 200u);
        BOOST_TEST(renewed.text("/workspace/id") == own);
        BOOST_TEST(status_of(renewed.text("/access_token")) == "200");
    }
    BOOST_TEST(db.sql("SELECT count(*) FROM sessions WHERE workspace_id = '" + workspace +
                      "' AND user_id = '" + mel.user + "'") == "0");
}

BOOST_FIXTURE_TEST_CASE(what_a_removal_ended_does_not_count_after_joining_again, removal_fixture)
{
    auto own = own_workspace_of(bob);
    verify_address("bob@example.com");
    std::vector<std::string> ended;
    auto session = bob;
    for (int round = 0; round < 3; ++round) {
        auto at_home = switched(session.token, own);
        auto here = switched(at_home, workspace);
        auto key = key_of(here), rotated = key_of(here);
        auto successor =
            post("/api-keys/" + prefix_of(rotated) + "/rotate", R"({"grace_seconds":600})", here);
        for (auto& credential : {session.token, here, key, rotated, successor.text("/secret")}) {
            BOOST_TEST(status_of(credential) == "200");
            ended.push_back(credential);
        }
        BOOST_REQUIRE(remove(round == 1 ? here : token, bob.user).status == 204u); // leaves, or is removed
        for (auto& credential : ended)
            BOOST_TEST(status_of(credential) == "401 unauthorized");
        BOOST_TEST(status_of(at_home) == "200");

        // Joined again, with the same session: only new tokens count.
        BOOST_REQUIRE(accept(invitation_token("bob@example.com", "manager"), at_home).status == 200u);
        for (auto& credential : ended)
            BOOST_TEST(status_of(credential) == "401 unauthorized");
        auto entered =
            post("/token/refresh",
                 support::object({{"refresh_token", session.refresh_token}, {"workspace_id", workspace}}));
        BOOST_REQUIRE(entered.status == 200u);
        BOOST_TEST(status_of(entered.text("/access_token")) == "200");
        session.token = entered.text("/access_token");
        session.refresh_token = entered.text("/refresh_token");
        BOOST_TEST(client.get(base + "/me", session.token).text("/role") == "manager");
    }
    BOOST_TEST(status_of(session.token) == "200");
}

BOOST_FIXTURE_TEST_CASE(a_token_of_an_ended_membership_still_logs_out, removal_fixture)
{
    BOOST_REQUIRE(remove(token, bob.user).status == 204u);
    BOOST_TEST(status_of(bob.token) == "401 unauthorized");
    BOOST_TEST(post("/logout", "", bob.token).status == 204u);
    BOOST_TEST(refresh(bob.refresh_token) == 401u);
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE action = 'session.logout' AND workspace_id = '" +
                      workspace + "'") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_removed_member_logs_in_elsewhere_and_has_no_access_here, removal_fixture)
{
    auto own = own_workspace_of(bob);
    BOOST_REQUIRE(remove(token, bob.user).status == 204u);
    auto back = log_in(client, "bob@example.com");
    BOOST_TEST(back.workspace == own);
    BOOST_TEST(summary(post("/workspaces/" + workspace + "/switch", "", back.token)) == "404 not_found");
    BOOST_TEST(join(item_texts(client.get(base + "/workspaces", back.token), "id")) == own);
    BOOST_TEST(summary(remove(token, bob.user)) == "404 not_found");
    BOOST_TEST(summary(preview_removal(token, bob.user)) == "404 not_found");
    BOOST_TEST(join(item_texts(client.get(base + "/team", token), "email")) ==
               "ada@example.com mel@example.com");

    verify_address("bob@example.com");
    BOOST_TEST(accept(invitation_token("bob@example.com", "manager"), back.token).status == 200u);
    BOOST_TEST(role_of(bob.user) == "manager");
    BOOST_TEST(status_of(bob.token) == "401 unauthorized"); // of the membership that ended
}

BOOST_FIXTURE_TEST_CASE(an_account_without_a_workspace_remains, removal_fixture)
{
    db.sql("DELETE FROM workspaces WHERE owner_id = '" + bob.user + "'");
    BOOST_REQUIRE(remove(token, bob.user).status == 204u);
    auto renewed = post("/token/refresh", support::object({{"refresh_token", bob.refresh_token}}));
    BOOST_TEST(renewed.status == 200u);
    BOOST_TEST(json_at(renewed, "/workspace") == "null");
    BOOST_TEST(json_at(jwt_part(renewed.text("/access_token"), 1), "/wid") == "null");
    auto back = client.post(base + "/login", credentials("bob@example.com"));
    BOOST_TEST(back.status == 200u);
    BOOST_TEST(json_at(back, "/workspace") == "null");
    auto with = back.text("/access_token");
    BOOST_TEST(json_at(client.get(base + "/me", with), "/role") == "null");
    BOOST_TEST(json_at(client.get(base + "/workspaces", with), "/total") == "0");
    BOOST_TEST(summary(client.get(base + "/team", with)) == "403 forbidden_scope");
}

BOOST_FIXTURE_TEST_CASE(members_can_leave, removal_fixture)
{
    auto key = key_of(bob.token);
    auto narrow = key_of(bob.token, R"({"name":"n","scopes":["content:read","profile:read"]})");
    BOOST_TEST(remove(narrow, bob.user).text("/required") == "profile:write");
    BOOST_TEST(preview_removal(narrow, bob.user).text("/required") == "profile:write");
    BOOST_TEST(json_at(preview_removal(bob.token, bob.user), "/total") == "2");
    BOOST_TEST(json_at(preview_removal(key, bob.user), "/total") == "2");
    BOOST_TEST(remove(bob.token, bob.user).status == 204u);
    BOOST_TEST(refresh(bob.refresh_token) == 200u);
    for (auto& dead : {bob.token, key, narrow})
        BOOST_TEST(status_of(dead) == "401 unauthorized");
    auto mels_key = key_of(mel.token, R"({"name":"n","scopes":["profile:write"]})");
    BOOST_TEST(remove(mels_key, mel.user).status == 204u);
    BOOST_TEST(status_of(mels_key) == "401 unauthorized");
    BOOST_TEST(summary(remove(token, user)) == "409 owner_protected");
}

BOOST_FIXTURE_TEST_CASE(only_admins_can_remove_others, removal_fixture)
{
    auto narrow = mint(R"({"name":"k","scopes":["team:read","team:roles","profile:write"]})");
    auto eve = sign_up(client, "eve@example.net");
    for (auto& credential : {mel.token, bob.token, narrow})
        for (auto& member : {user, eve.user, std::string("x")}) {
            if (credential == narrow && member == user)
                continue; // removing oneself is allowed
            BOOST_TEST(remove(credential, member).text("/required") == "team:remove");
            BOOST_TEST(preview_removal(credential, member).text("/required") == "team:remove");
        }
    for (auto& member : {eve.user, workspace, std::string("x")}) {
        BOOST_TEST(summary(remove(token, member)) == "404 not_found");
        BOOST_TEST(summary(preview_removal(token, member)) == "404 not_found");
    }
    BOOST_TEST(status_of(eve.token) == "200");
    BOOST_TEST(db.sql("SELECT count(*) FROM memberships WHERE workspace_id = '" + workspace + "'") == "3");
    BOOST_TEST(remove(mint(R"({"name":"k","scopes":["team:remove"]})"), bob.user).status == 204u);
    BOOST_TEST(remove(mint(R"({"name":"w","owner":"workspace","role":"admin"})"), mel.user).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(the_owner_cannot_be_removed, removal_fixture)
{
    BOOST_REQUIRE(client.patch(base + "/team/" + mel.user, R"({"role":"admin"})", token).status == 200u);
    for (auto& credential : {token, mel.token, mint(R"({"name":"w","owner":"workspace","role":"admin"})")})
        BOOST_TEST(summary(remove(credential, user)) == "409 owner_protected");
    BOOST_TEST(status_of(token) == "200");
}

BOOST_FIXTURE_TEST_CASE(the_preview_lists_exactly_the_keys_that_end, removal_fixture)
{
    auto at_home = switched(log_in(client, "mel@example.com").token, own_workspace_of(mel));
    BOOST_REQUIRE(client.patch(base + "/team/" + mel.user, R"({"role":"admin"})", token).status == 200u);
    std::vector<std::string> keys{
        key_of(mel.token),
        key_of(mel.token,
               support::object({{"name", "mortal"}, {"expires_at", from_now(std::chrono::hours(1))}})),
        key_of(mel.token, R"({"name":"w","owner":"workspace","role":"admin"})"),
        key_of(at_home),
        key_of(token),
        key_of(bob.token)};
    auto revoked = key_of(mel.token), expired = key_of(mel.token), rotated = key_of(mel.token);
    BOOST_REQUIRE(client.del(base + "/api-keys/" + prefix_of(revoked), mel.token).status == 204u);
    keys.push_back(post("/api-keys/" + prefix_of(rotated) + "/rotate", R"({"grace_seconds":600})", mel.token)
                       .text("/secret"));
    keys.push_back(rotated); // valid until its grace period ends
    db.sql("UPDATE api_keys SET expires_at = now() - interval '1 second' WHERE prefix = '" +
           prefix_of(expired) + "'");

    std::set<std::string> previewed, died;
    std::string cursor;
    for (int pages = 0; pages < 10; ++pages) {
        auto page = preview_removal(token, mel.user, "?limit=3" + cursor);
        BOOST_TEST(json_at(page, "/total") == "4");
        BOOST_TEST(member_names(page, "/items/0") ==
                   "id prefix name scopes owner created_at expires_at last_used_at revoked_at");
        for (auto& prefix : item_texts(page, "prefix"))
            previewed.insert(prefix);
        if (json_at(page, "/next_cursor") == "null")
            break;
        cursor = "&cursor=" + page.text("/next_cursor");
    }
    BOOST_TEST(summary(preview_removal(token, bob.user, "?limit=3" + cursor)) == "400 invalid_cursor");
    for (auto& key : keys)
        BOOST_REQUIRE(status_of(key) == "200");
    BOOST_REQUIRE(remove(token, mel.user).status == 204u);
    for (auto& key : keys)
        if (status_of(key) == "401 unauthorized")
            died.insert(prefix_of(key));
    BOOST_TEST(join({previewed.begin(), previewed.end()}) == join({died.begin(), died.end()}));
    BOOST_TEST(died.size() == 4u);
}

BOOST_FIXTURE_TEST_CASE(the_invites_of_a_removed_member_end, removal_fixture)
{
    BOOST_REQUIRE(invite(mel.token, {{"g@example.org", "manager"}, {"m@example.org", "member"}}).status ==
                  201u);
    auto own = switched(log_in(client, "mel@example.com").token, own_workspace_of(mel));
    BOOST_REQUIRE(invite(own, {{"home@example.org", "admin"}}).status == 201u);
    auto here = emailed_token("m@example.org"), home = emailed_token("home@example.org");
    BOOST_REQUIRE(remove(token, mel.user).status == 204u);
    BOOST_TEST(json_at(client.get(base + "/team/invites", token), "/total") == "0");
    BOOST_TEST(invite_error(accept_with(here, "long enough")) == "400 invalid_token cancelled");
    BOOST_TEST(preview(home).status == 200u);
    BOOST_TEST(invite(token, {{"m@example.org", "member"}}).status == 201u); // by another inviter
}

BOOST_AUTO_TEST_SUITE_END()
