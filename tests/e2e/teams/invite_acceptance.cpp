// Accepting an invite: as somebody new, with a session, with a password; and nobody is added who did not want
// to be.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <string>

using namespace flows;

namespace {

struct accepting : inviting {
    using inviting::inviting;

    support::response log_in_with(const std::string& email, const std::string& password)
    {
        return client.post(base + "/login", credentials(email, password));
    }

    /// Somebody with a verified account of their own.
    person verified(const std::string& email)
    {
        auto who = sign_up(client, email);
        verify_address(email);
        return who;
    }
};

const std::string accepted = "400 invalid_token accepted";

} // namespace

BOOST_AUTO_TEST_SUITE(invite_acceptance)

BOOST_FIXTURE_TEST_CASE(somebody_new_lands_in_the_workspace_verified_and_owns_none, accepting)
{
    auto invitation = invitation_of("Zoe@Example.org", "manager");
    auto came = post("/invites/accept",
                     support::object({{"token", invitation}, {"name", "Zoe"}, {"password", "long enough"}}));
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(members(came) == "access_token token_type expires_in refresh_token user workspace membership");
    BOOST_TEST(came.text("/user/email") == "Zoe@Example.org");
    BOOST_TEST(came.text("/user/name") == "Zoe");
    BOOST_TEST(at(came, "/user/email_verified") == "true");
    BOOST_TEST(came.text("/workspace/id") == workspace);
    BOOST_TEST(came.text("/membership/role") == "manager");
    BOOST_TEST(at(came, "/membership/is_owner") == "false");
    BOOST_TEST(at(came, "/expires_in") == "3600");

    auto theirs = came.text("/access_token");
    BOOST_TEST(everywhere(server, to_get("/team/invites", theirs)) == "200");
    BOOST_TEST(join(texts(client.get(base + "/workspaces", theirs), "id")) == workspace);
    BOOST_TEST(part_of(theirs, 1).text("/wid") == workspace);
    BOOST_TEST(db.sql("SELECT count(*) FROM workspaces WHERE owner_id = '" + came.text("/user/id") + "'") ==
               "0");
    auto renewed = post("/token/refresh", support::object({{"refresh_token", came.text("/refresh_token")}}));
    BOOST_TEST(renewed.text("/workspace/id") == workspace);
    BOOST_TEST(log_in_with("zoe@example.ORG", "long enough").text("/workspace/id") == workspace);
    BOOST_TEST(end_of(accept_with(invitation, "long enough")) == accepted);
    BOOST_TEST(end_of(accept(invitation, theirs)) == accepted);
    BOOST_TEST(db.sql("SELECT count(*) FROM memberships WHERE user_id = '" + came.text("/user/id") + "'") ==
               "1");
}

BOOST_FIXTURE_TEST_CASE(a_password_that_will_not_do_costs_the_invite_nothing, accepting)
{
    auto invitation = invitation_of("zoe@example.org");
    BOOST_TEST(faults(accept(invitation)) == "body.password missing");
    BOOST_TEST(faults(accept_with(invitation, "")) == "body.password string_too_short");
    BOOST_TEST(faults(accept_with(invitation, "seven77")) == "body.password string_too_short");
    BOOST_TEST(faults(accept_with(invitation, std::string(1025, 'x'))) == "body.password string_too_long");
    for (std::string weak : {"password", "12345678", "zoe@example.org"})
        BOOST_TEST(verdict(accept_with(invitation, weak)) == "422 weak_password", weak);
    auto body = support::object(
        {{"token", invitation}, {"name", std::string(101, 'x')}, {"password", "long enough"}});
    BOOST_TEST(faults(post("/invites/accept", body)) == "body.name string_too_long");
    BOOST_TEST(faults(post("/invites/accept", support::object({{"token", invitation}, {"role", "admin"}}))) ==
               "body.role extra_forbidden");
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email = 'zoe@example.org'") == "0");
    BOOST_TEST(accept_with(invitation, "long enough").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_session_of_the_same_address_goes_on_and_leads_there, accepting)
{
    auto eve = verified("eve@example.net");
    auto invitation = invitation_of("EVE@example.net", "admin");
    auto came = accept(invitation, eve.token);
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(members(came) == "access_token token_type expires_in user workspace membership");
    BOOST_TEST(came.text("/membership/role") == "admin");
    auto there = came.text("/access_token");
    BOOST_TEST(part_of(there, 1).text("/sid") == part_of(eve.token, 1).text("/sid"));
    BOOST_TEST(part_of(there, 1).text("/wid") == workspace);
    BOOST_TEST(everywhere(server, to_get("/audit", there)) == "200");
    BOOST_TEST(client.get(base + "/me", eve.token).text("/workspace/id") == eve.workspace);
    auto renewed = post("/token/refresh", support::object({{"refresh_token", eve.refresh_token}}));
    BOOST_TEST(renewed.text("/workspace/id") == workspace);
    BOOST_TEST(log_in(client, "eve@example.net").workspace == workspace);
    BOOST_TEST(at(client.get(base + "/workspaces", there), "/total") == "2");
    BOOST_TEST(end_of(accept(invitation, eve.token)) == accepted);
}

BOOST_FIXTURE_TEST_CASE(the_password_of_the_account_opens_a_session_there, accepting)
{
    auto eve = verified("eve@example.net");
    auto invitation = invitation_of("eve@example.net");
    auto unproved = accept(invitation);
    BOOST_TEST(verdict(unproved) == "401 unauthorized");
    BOOST_TEST(!unproved.header("WWW-Authenticate").empty());
    BOOST_TEST(verdict(accept_with(invitation, "not her own")) == "401 invalid_credentials");
    BOOST_TEST(role_of(eve.user) == "");

    auto came = accept_with(invitation, "long enough");
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(members(came) == "access_token token_type expires_in refresh_token user workspace membership");
    BOOST_TEST(came.text("/user/id") == eve.user);
    BOOST_TEST(came.text("/workspace/id") == workspace);
    BOOST_TEST(part_of(came.text("/access_token"), 1).text("/sid") != part_of(eve.token, 1).text("/sid"));
    BOOST_TEST(everywhere(server, to_get("/me", eve.token)) == "200"); // nothing else ends
    BOOST_TEST(role_of(eve.user) == "member");
    BOOST_TEST(log_in_with("eve@example.net", "long enough").text("/workspace/id") == workspace);
}

BOOST_FIXTURE_TEST_CASE(nobody_accepts_for_another, accepting)
{
    auto eve = verified("eve@example.net");
    auto invitation = invitation_of("eve@example.net", "admin"), strangers = invitation_of("zoe@example.org");
    for (auto& each : {invitation, strangers}) {
        BOOST_TEST(verdict(accept(each, bob.token)) == "403 wrong_account");
        BOOST_TEST(verdict(accept(each, token)) == "403 wrong_account");
        BOOST_TEST(verdict(accept(each, "garbage")) == "401 unauthorized");
        BOOST_TEST(verdict(accept(each, mint(R"({"name":"w","owner":"workspace","role":"admin"})"))) ==
                   "403 forbidden");
    }
    auto key = post("/api-keys", R"({"name":"k"})", eve.token).text("/secret");
    BOOST_TEST(verdict(accept(invitation, key)) == "403 forbidden");
    // A session of another account proves nothing, whatever password comes along.
    auto both = support::object({{"token", invitation}, {"password", "long enough"}});
    BOOST_TEST(verdict(post("/invites/accept", both, bob.token)) == "403 wrong_account");
    BOOST_TEST(role_of(eve.user) == "");
    BOOST_TEST(db.sql("SELECT count(*) FROM memberships WHERE workspace_id = '" + workspace + "'") == "3");
    BOOST_TEST(accept(invitation, eve.token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(an_ended_session_accepts_nothing, accepting)
{
    auto eve = verified("eve@example.net");
    auto invitation = invitation_of("eve@example.net");
    BOOST_REQUIRE(post("/logout", "", eve.token).status == 204u);
    BOOST_TEST(verdict(accept(invitation, eve.token)) == "401 unauthorized");
    BOOST_TEST(role_of(eve.user) == "");
}

BOOST_FIXTURE_TEST_CASE(a_disabled_account_stays_out, accepting)
{
    auto eve = verified("eve@example.net");
    sign_up(client, "una@example.net"); // unverified
    auto eves = invitation_of("eve@example.net"), unas = invitation_of("una@example.net");
    db.sql("UPDATE users SET disabled_at = now() WHERE email LIKE '%example.net'");
    for (auto& each : {eves, unas})
        for (std::string password : {"long enough", "another of theirs"})
            BOOST_TEST(verdict(accept_with(each, password)) == "403 account_disabled");
    BOOST_TEST(db.sql("SELECT count(*) FROM memberships WHERE workspace_id = '" + workspace + "'") == "3");
    BOOST_TEST(role_of(eve.user) == "");
}

BOOST_FIXTURE_TEST_CASE(a_member_by_then_is_told_so, accepting)
{
    auto eve = verified("eve@example.net");
    auto invitation = invitation_of("eve@example.net", "admin");
    db.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace + "', '" + eve.user +
           "', 'member')");
    BOOST_TEST(verdict(accept(invitation, eve.token)) == "409 already_member");
    BOOST_TEST(verdict(accept_with(invitation, "long enough")) == "409 already_member");
    BOOST_TEST(role_of(eve.user) == "member");
}

BOOST_FIXTURE_TEST_CASE(a_link_brings_nobody_back, accepting)
{
    auto invitation = invitation_of("zoe@example.org");
    auto zoe = accept_with(invitation, "long enough");
    BOOST_REQUIRE(zoe.status == 200u);
    BOOST_REQUIRE(client.del(base + "/team/" + zoe.text("/user/id"), token).status == 204u);
    BOOST_TEST(end_of(accept_with(invitation, "long enough")) == accepted);
    auto back = log_in_with("zoe@example.org", "long enough");
    BOOST_TEST(at(back, "/workspace") == "null");
    BOOST_TEST(end_of(accept(invitation, back.text("/access_token"))) == accepted);
    BOOST_TEST(role_of(zoe.text("/user/id")) == "");
    // From nowhere a new invite leads back in.
    auto again = accept(invitation_of("zoe@example.org"), back.text("/access_token"));
    BOOST_TEST(again.text("/workspace/id") == workspace);
}

BOOST_FIXTURE_TEST_CASE(an_account_that_has_gone_leaves_the_address_free, accepting)
{
    auto leave = [&](const std::string& with) {
        return client.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})", with);
    };
    auto eve = verified("eve@example.net");
    auto invitation = invitation_of("eve@example.net");
    BOOST_REQUIRE(leave(eve.token).status == 204u);
    BOOST_TEST(verdict(accept(invitation, eve.token)) == "401 unauthorized");
    auto came = accept_with(invitation, "long enough");
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(came.text("/user/id") != eve.user);
    BOOST_REQUIRE(leave(came.text("/access_token")).status == 204u);
    BOOST_TEST(verdict(accept_with(invitation, "long enough")) == "400 invalid_token");
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email = 'eve@example.net'") == "0");
}

BOOST_AUTO_TEST_CASE(guesses_are_counted_with_those_at_the_login)
{
    accepting world({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    auto eve = world.verified("eve@example.net");
    auto invitation = world.invitation_of("eve@example.net");
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(verdict(world.accept_with(invitation, "not her own")) == "401 invalid_credentials");
    BOOST_TEST(verdict(world.accept_with(invitation, "long enough")) == "429 rate_limited");
    BOOST_TEST(world.log_in_with("eve@example.net", "long enough").status == 429u);
    BOOST_TEST(world.role_of(eve.user) == "");
    BOOST_TEST(world.accept(invitation, eve.token).status == 200u); // a session needs no guess
}

BOOST_AUTO_TEST_SUITE_END()
