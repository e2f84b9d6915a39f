// Roles: who gives which to whom, and that they count at once.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <string>

using namespace flows;

namespace {

struct ranked : inviting {
    support::response set(const std::string& with, const std::string& whom, const std::string& role)
    {
        return client.patch(base + "/team/" + whom, support::object({{"role", role}}), with);
    }

    std::string key_of(const std::string& with)
    {
        auto made = post("/api-keys", R"({"name":"k"})", with);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/secret");
    }

    void disable(const std::string& whom)
    {
        db.sql("UPDATE users SET disabled_at = now() WHERE id = '" + whom + "'");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(team_roles)

BOOST_FIXTURE_TEST_CASE(an_admin_gives_a_role_and_sees_whose_it_is_now, ranked)
{
    auto changed = set(token, bob.user, "manager");
    BOOST_TEST(changed.status == 200u);
    BOOST_TEST(members(changed) == "user_id email name role is_owner status joined_at");
    BOOST_TEST(changed.text("/user_id") == bob.user);
    BOOST_TEST(changed.text("/role") == "manager");
    BOOST_TEST(changed.text("/status") == "active");
    BOOST_TEST(set(token, bob.user, "manager").status == 200u); // which they have already
    BOOST_TEST(set(token, bob.user, "admin").text("/role") == "admin");
    BOOST_TEST(set(bob.token, mel.user, "member").text("/role") == "member");
    BOOST_TEST(set(mint(R"({"name":"k","scopes":["team:roles"]})"), mel.user, "admin").status == 200u);
    BOOST_TEST(set(mint(R"({"name":"w","owner":"workspace","role":"admin"})"), mel.user, "member").status ==
               200u);
    BOOST_TEST(role_of(mel.user) == "member");
    BOOST_TEST(role_of(bob.user) == "admin");
}

BOOST_FIXTURE_TEST_CASE(a_role_counts_on_the_very_next_request_of_every_credential_on_every_core, ranked)
{
    auto key = key_of(bob.token),
         own = db.sql("SELECT id FROM workspaces WHERE owner_id = '" + bob.user + "'");
    auto elsewhere =
        client.post(base + "/workspaces/" + own + "/switch", "", bob.token).text("/access_token");
    auto may = [&](const std::string& what) {
        std::string out;
        for (auto& credential : {bob.token, key})
            out += everywhere(server, to_get(what, credential)) + ";";
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
        BOOST_TEST(everywhere(server, to_get("/audit", elsewhere)) == "200"); // their own is another matter
    }
    auto me = client.get(base + "/me", bob.token);
    BOOST_TEST(me.text("/role") == "member");
    BOOST_TEST(at(me, "/permissions").find("team:invite") == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(nobody_below_an_admin_gives_any, ranked)
{
    auto narrow = mint(R"({"name":"k","scopes":["team:read","team:remove","team:invite"]})");
    for (auto& credential : {mel.token, bob.token, key_of(mel.token), narrow})
        for (auto& whom : {bob.user, mel.user, user}) {
            auto refused = set(credential, whom, "admin");
            BOOST_TEST(verdict(refused) == "403 forbidden_scope");
            BOOST_TEST(refused.text("/required") == "team:roles");
        }
    BOOST_TEST(verdict(set("", bob.user, "admin")) == "401 unauthorized");
    BOOST_TEST(role_of(bob.user) == "member");
}

BOOST_FIXTURE_TEST_CASE(only_members_have_roles_and_only_known_ones, ranked)
{
    auto eve = sign_up(client, "eve@example.net");
    auto invited = invite_one("new@example.org");
    for (auto& whom : {eve.user, invited, workspace, std::string("01890a5d-ac96-774b-bcce-b302099a8057"),
                       std::string("bob@example.com")})
        BOOST_TEST(verdict(set(token, whom, "member")) == "404 not_found", whom);
    BOOST_TEST(client.get(base + "/me", eve.token).text("/role") == "admin");
    for (auto body : {R"({"role":"owner"})", R"({"role":"Admin"})", R"({"role":null})", R"({"role":1})"})
        BOOST_TEST(client.patch(base + "/team/" + bob.user, body, token).status == 422u, body);
    BOOST_TEST(faults(client.patch(base + "/team/" + bob.user, R"({"is_owner":true})", token)) ==
               "body.is_owner extra_forbidden, body.role missing");
    BOOST_TEST(role_of(bob.user) == "member");
}

BOOST_FIXTURE_TEST_CASE(the_owner_stays_an_admin_whoever_asks, ranked)
{
    BOOST_REQUIRE(set(token, mel.user, "admin").status == 200u);
    for (auto& credential : {token, mel.token, mint(R"({"name":"k"})"),
                             mint(R"({"name":"w","owner":"workspace","role":"admin"})")})
        for (std::string role : {"manager", "member"})
            BOOST_TEST(verdict(set(credential, user, role)) == "409 owner_protected");
    BOOST_TEST(set(mel.token, user, "admin").status == 200u); // what they are
    BOOST_TEST(role_of(user) == "admin");
    disable(user);
    BOOST_TEST(verdict(set(mel.token, user, "member")) == "409 owner_protected");
}

BOOST_FIXTURE_TEST_CASE(the_last_admin_who_can_act_stays_one, ranked)
{
    BOOST_REQUIRE(set(token, mel.user, "admin").status == 200u);
    disable(user);
    BOOST_TEST(verdict(set(mel.token, mel.user, "member")) == "409 last_admin");
    BOOST_TEST(verdict(set(key_of(mel.token), mel.user, "manager")) == "409 last_admin");
    BOOST_TEST(verdict(client.del(base + "/team/" + mel.user, mel.token)) == "409 last_admin");
    BOOST_TEST(role_of(mel.user) == "admin");
    BOOST_TEST(everywhere(server, to_get("/me", mel.token)) == "200");

    BOOST_REQUIRE(set(mel.token, bob.user, "admin").status == 200u);
    disable(bob.user); // an admin who cannot act is none
    BOOST_TEST(verdict(set(mel.token, mel.user, "member")) == "409 last_admin");
    db.sql("UPDATE users SET disabled_at = NULL WHERE id = '" + bob.user + "'");
    BOOST_TEST(set(mel.token, mel.user, "member").status == 200u);
    auto bobs = log_in(client, "bob@example.com").token;
    BOOST_TEST(verdict(set(bobs, bob.user, "member")) == "409 last_admin");
}

BOOST_FIXTURE_TEST_CASE(a_demoted_inviters_invites_end_as_far_as_they_could_be_made_no_more, ranked)
{
    BOOST_REQUIRE(set(token, mel.user, "admin").status == 200u);
    auto made = invite(
        mel.token, {{"a@example.org", "admin"}, {"g@example.org", "manager"}, {"m@example.org", "member"}});
    BOOST_REQUIRE(made.status == 201u);
    auto nobodys = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    BOOST_REQUIRE(invite(nobodys, {{"by-key@example.org", "admin"}}).status == 201u);
    invite_one("by-ada@example.org", "admin");
    auto admins = token_to("a@example.org"), managers = token_to("g@example.org");
    auto pending = [this] { return join(texts(client.get(base + "/team/invites", token), "email")); };

    BOOST_REQUIRE(set(token, mel.user, "manager").status == 200u);
    BOOST_TEST(pending() == "g@example.org m@example.org by-key@example.org by-ada@example.org");
    BOOST_TEST(end_of(accept_with(admins, "long enough")) == "400 invalid_token cancelled");
    BOOST_TEST(preview(managers).status == 200u);
    BOOST_REQUIRE(set(token, mel.user, "admin").status == 200u);
    BOOST_TEST(end_of(preview(admins)) == "400 invalid_token cancelled"); // it does not come back

    BOOST_REQUIRE(set(token, mel.user, "member").status == 200u);
    BOOST_TEST(pending() == "by-key@example.org by-ada@example.org");
    BOOST_TEST(end_of(accept_with(managers, "long enough")) == "400 invalid_token cancelled");
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email LIKE '%example.org'") == "0");
}

BOOST_AUTO_TEST_SUITE_END()
