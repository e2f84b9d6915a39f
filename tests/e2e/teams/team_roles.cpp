// PATCH /team/{user_id}: permissions to change roles, and their immediate effect.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <string>

using namespace e2e;

namespace {

struct roles_fixture : invite_fixture {
    support::response set(const std::string& with, const std::string& member, const std::string& role)
    {
        return client.patch(base + "/team/" + member, support::object({{"role", role}}), with);
    }

    std::string key_of(const std::string& with)
    {
        auto made = post("/api-keys", R"({"name":"k"})", with);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/secret");
    }

    void disable(const std::string& member)
    {
        db.sql("UPDATE users SET disabled_at = now() WHERE id = '" + member + "'");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(team_roles)

BOOST_FIXTURE_TEST_CASE(an_admin_changes_a_role_and_gets_the_member, roles_fixture)
{
    auto changed = set(token, bob.user, "manager");
    BOOST_TEST(changed.status == 200u);
    BOOST_TEST(member_names(changed) == "user_id email name role is_owner status joined_at");
    BOOST_TEST(changed.text("/user_id") == bob.user);
    BOOST_TEST(changed.text("/role") == "manager");
    BOOST_TEST(changed.text("/status") == "active");
    BOOST_TEST(set(token, bob.user, "manager").status == 200u); // the role is unchanged
    BOOST_TEST(set(token, bob.user, "admin").text("/role") == "admin");
    BOOST_TEST(set(bob.token, mel.user, "member").text("/role") == "member");
    BOOST_TEST(set(mint(R"({"name":"k","scopes":["team:roles"]})"), mel.user, "admin").status == 200u);
    BOOST_TEST(set(mint(R"({"name":"w","owner":"workspace","role":"admin"})"), mel.user, "member").status ==
               200u);
    BOOST_TEST(role_of(mel.user) == "member");
    BOOST_TEST(role_of(bob.user) == "admin");
}

BOOST_FIXTURE_TEST_CASE(a_role_applies_to_the_next_request_of_every_credential_on_every_core, roles_fixture)
{
    auto key = key_of(bob.token),
         own = db.sql("SELECT id FROM workspaces WHERE owner_id = '" + bob.user + "'");
    auto elsewhere =
        client.post(base + "/workspaces/" + own + "/switch", "", bob.token).text("/access_token");
    auto may = [&](const std::string& what) {
        std::string out;
        for (auto& credential : {bob.token, key})
            out += on_all_cores(server, get_request(what, credential)) + ";";
        return out;
    };
    const std::string yes = "200;200;", no = "403 forbidden_scope;403 forbidden_scope;";
    for (int round = 0; round < 3; ++round) {
        BOOST_TEST(may("/team/invites") == no);
        BOOST_REQUIRE(set(token, bob.user, "manager").status == 200u);
        BOOST_TEST(may("/team/invites") == yes);
        BOOST_TEST(may("/audit") == no);
        BOOST_REQUIRE(set(token, bob.user, "admin").status == 200u);
        BOOST_TEST(may("/audit") == yes);
        BOOST_REQUIRE(set(token, bob.user, "member").status == 200u);
        BOOST_TEST(may("/audit") == no);
        BOOST_TEST(on_all_cores(server, get_request("/audit", elsewhere)) ==
                   "200"); // their own is another matter
    }
    auto me = client.get(base + "/me", bob.token);
    BOOST_TEST(me.text("/role") == "member");
    BOOST_TEST(json_at(me, "/permissions").find("team:invite") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(only_admins_can_change_roles, roles_fixture)
{
    auto narrow = mint(R"({"name":"k","scopes":["team:read","team:remove","team:invite"]})");
    for (auto& credential : {mel.token, bob.token, key_of(mel.token), narrow})
        for (auto& member : {bob.user, mel.user, user}) {
            auto refused = set(credential, member, "admin");
            BOOST_TEST(summary(refused) == "403 forbidden_scope");
            BOOST_TEST(refused.text("/required") == "team:roles");
        }
    BOOST_TEST(summary(set("", bob.user, "admin")) == "401 unauthorized");
    BOOST_TEST(role_of(bob.user) == "member");
}

BOOST_FIXTURE_TEST_CASE(unknown_members_and_roles_are_rejected, roles_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    auto invited = invite_one("new@example.org");
    for (auto& member : {eve.user, invited, workspace, std::string("01890a5d-ac96-774b-bcce-b302099a8057"),
                         std::string("bob@example.com")})
        BOOST_TEST(summary(set(token, member, "member")) == "404 not_found", member);
    BOOST_TEST(client.get(base + "/me", eve.token).text("/role") == "admin");
    for (auto body : {R"({"role":"owner"})", R"({"role":"Admin"})", R"({"role":null})", R"({"role":1})"})
        BOOST_TEST(client.patch(base + "/team/" + bob.user, body, token).status == 422u, body);
    BOOST_TEST(validation_errors(client.patch(base + "/team/" + bob.user, R"({"is_owner":true})", token)) ==
               "body.is_owner extra_forbidden, body.role missing");
    BOOST_TEST(role_of(bob.user) == "member");
}

BOOST_FIXTURE_TEST_CASE(the_owner_cannot_be_demoted, roles_fixture)
{
    BOOST_REQUIRE(set(token, mel.user, "admin").status == 200u);
    for (auto& credential : {token, mel.token, mint(R"({"name":"k"})"),
                             mint(R"({"name":"w","owner":"workspace","role":"admin"})")})
        for (std::string role : {"manager", "member"})
            BOOST_TEST(summary(set(credential, user, role)) == "409 owner_protected");
    BOOST_TEST(set(mel.token, user, "admin").status == 200u); // the current role
    BOOST_TEST(role_of(user) == "admin");
    disable(user);
    BOOST_TEST(summary(set(mel.token, user, "member")) == "409 owner_protected");
}

BOOST_FIXTURE_TEST_CASE(the_last_active_admin_cannot_be_demoted, roles_fixture)
{
    BOOST_REQUIRE(set(token, mel.user, "admin").status == 200u);
    disable(user);
    BOOST_TEST(summary(set(mel.token, mel.user, "member")) == "409 last_admin");
    BOOST_TEST(summary(set(key_of(mel.token), mel.user, "manager")) == "409 last_admin");
    BOOST_TEST(summary(client.del(base + "/team/" + mel.user, mel.token)) == "409 last_admin");
    BOOST_TEST(role_of(mel.user) == "admin");
    BOOST_TEST(on_all_cores(server, get_request("/me", mel.token)) == "200");

    BOOST_REQUIRE(set(mel.token, bob.user, "admin").status == 200u);
    disable(bob.user); // a disabled admin does not count
    BOOST_TEST(summary(set(mel.token, mel.user, "member")) == "409 last_admin");
    db.sql("UPDATE users SET disabled_at = NULL WHERE id = '" + bob.user + "'");
    BOOST_TEST(set(mel.token, mel.user, "member").status == 200u);
    auto bobs = log_in(client, "bob@example.com").token;
    BOOST_TEST(summary(set(bobs, bob.user, "member")) == "409 last_admin");
}

BOOST_FIXTURE_TEST_CASE(invites_beyond_the_new_role_of_their_inviter_end, roles_fixture)
{
    BOOST_REQUIRE(set(token, mel.user, "admin").status == 200u);
    auto made = invite(
        mel.token, {{"a@example.org", "admin"}, {"g@example.org", "manager"}, {"m@example.org", "member"}});
    BOOST_REQUIRE(made.status == 201u);
    auto workspace_key = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    BOOST_REQUIRE(invite(workspace_key, {{"by-key@example.org", "admin"}}).status == 201u);
    invite_one("by-ada@example.org", "admin");
    auto admins = emailed_token("a@example.org"), managers = emailed_token("g@example.org");
    auto pending = [this] { return join(item_texts(client.get(base + "/team/invites", token), "email")); };

    BOOST_REQUIRE(set(token, mel.user, "manager").status == 200u);
    BOOST_TEST(pending() == "g@example.org m@example.org by-key@example.org by-ada@example.org");
    BOOST_TEST(invite_error(accept_with(admins, "long enough")) == "400 invalid_token cancelled");
    BOOST_TEST(preview(managers).status == 200u);
    BOOST_REQUIRE(set(token, mel.user, "admin").status == 200u);
    BOOST_TEST(invite_error(preview(admins)) == "400 invalid_token cancelled"); // it stays cancelled

    BOOST_REQUIRE(set(token, mel.user, "member").status == 200u);
    BOOST_TEST(pending() == "by-key@example.org by-ada@example.org");
    BOOST_TEST(invite_error(accept_with(managers, "long enough")) == "400 invalid_token cancelled");
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email LIKE '%example.org'") == "0");
}

BOOST_AUTO_TEST_SUITE_END()
