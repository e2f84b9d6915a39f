// Accepting an invite: as a new account, by session or by password; no account is added without its consent.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <string>

using namespace e2e;

namespace {

struct acceptance_fixture : invite_fixture {
    using invite_fixture::invite_fixture;

    support::response log_in_with(const std::string& email, const std::string& password)
    {
        return client.post(base + "/login", credentials(email, password));
    }

    /// An account with a verified email address and a workspace of its own.
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

BOOST_FIXTURE_TEST_CASE(a_new_account_is_verified_and_joins_without_a_workspace_of_its_own,
                        acceptance_fixture)
{
    auto invitation = invitation_token("Zoe@Example.org", "manager");
    auto came = post("/invites/accept",
                     support::object({{"token", invitation}, {"name", "Zoe"}, {"password", "long enough"}}));
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(member_names(came) ==
               "access_token token_type expires_in refresh_token user workspace membership");
    BOOST_TEST(came.text("/user/email") == "Zoe@Example.org");
    BOOST_TEST(came.text("/user/name") == "Zoe");
    BOOST_TEST(json_at(came, "/user/email_verified") == "true");
    BOOST_TEST(came.text("/workspace/id") == workspace);
    BOOST_TEST(came.text("/membership/role") == "manager");
    BOOST_TEST(json_at(came, "/membership/is_owner") == "false");
    BOOST_TEST(json_at(came, "/expires_in") == "3600");

    auto theirs = came.text("/access_token");
    BOOST_TEST(on_all_cores(server, get_request("/team/invites", theirs)) == "200");
    BOOST_TEST(join(item_texts(client.get(base + "/workspaces", theirs), "id")) == workspace);
    BOOST_TEST(jwt_part(theirs, 1).text("/wid") == workspace);
    BOOST_TEST(db.sql("SELECT count(*) FROM workspaces WHERE owner_id = '" + came.text("/user/id") + "'") ==
               "0");
    auto renewed = post("/token/refresh", support::object({{"refresh_token", came.text("/refresh_token")}}));
    BOOST_TEST(renewed.text("/workspace/id") == workspace);
    BOOST_TEST(log_in_with("zoe@example.ORG", "long enough").text("/workspace/id") == workspace);
    BOOST_TEST(invite_error(accept_with(invitation, "long enough")) == accepted);
    BOOST_TEST(invite_error(accept(invitation, theirs)) == accepted);
    BOOST_TEST(db.sql("SELECT count(*) FROM memberships WHERE user_id = '" + came.text("/user/id") + "'") ==
               "1");
}

BOOST_FIXTURE_TEST_CASE(a_rejected_password_leaves_the_invite_usable, acceptance_fixture)
{
    auto invitation = invitation_token("zoe@example.org");
    BOOST_TEST(validation_errors(accept(invitation)) == "body.password missing");
    BOOST_TEST(validation_errors(accept_with(invitation, "")) == "body.password string_too_short");
    BOOST_TEST(validation_errors(accept_with(invitation, "seven77")) == "body.password string_too_short");
    BOOST_TEST(validation_errors(accept_with(invitation, std::string(1025, 'x'))) ==
               "body.password string_too_long");
    for (std::string weak : {"password", "12345678", "zoe@example.org"})
        BOOST_TEST(summary(accept_with(invitation, weak)) == "422 weak_password", weak);
    auto body = support::object(
        {{"token", invitation}, {"name", std::string(101, 'x')}, {"password", "long enough"}});
    BOOST_TEST(validation_errors(post("/invites/accept", body)) == "body.name string_too_long");
    BOOST_TEST(validation_errors(
                   post("/invites/accept", support::object({{"token", invitation}, {"role", "admin"}}))) ==
               "body.role extra_forbidden");
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email = 'zoe@example.org'") == "0");
    BOOST_TEST(accept_with(invitation, "long enough").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_session_of_the_same_address_continues_in_the_workspace, acceptance_fixture)
{
    auto eve = verified("eve@example.net");
    auto invitation = invitation_token("EVE@example.net", "admin");
    auto came = accept(invitation, eve.token);
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(member_names(came) == "access_token token_type expires_in user workspace membership");
    BOOST_TEST(came.text("/membership/role") == "admin");
    auto there = came.text("/access_token");
    BOOST_TEST(jwt_part(there, 1).text("/sid") == jwt_part(eve.token, 1).text("/sid"));
    BOOST_TEST(jwt_part(there, 1).text("/wid") == workspace);
    BOOST_TEST(on_all_cores(server, get_request("/audit", there)) == "200");
    BOOST_TEST(client.get(base + "/me", eve.token).text("/workspace/id") == eve.workspace);
    auto renewed = post("/token/refresh", support::object({{"refresh_token", eve.refresh_token}}));
    BOOST_TEST(renewed.text("/workspace/id") == workspace);
    BOOST_TEST(log_in(client, "eve@example.net").workspace == workspace);
    BOOST_TEST(json_at(client.get(base + "/workspaces", there), "/total") == "2");
    BOOST_TEST(invite_error(accept(invitation, eve.token)) == accepted);
}

BOOST_FIXTURE_TEST_CASE(the_password_of_the_account_opens_a_session_in_the_workspace, acceptance_fixture)
{
    auto eve = verified("eve@example.net");
    auto invitation = invitation_token("eve@example.net");
    auto unproved = accept(invitation);
    BOOST_TEST(summary(unproved) == "401 unauthorized");
    BOOST_TEST(!unproved.header("WWW-Authenticate").empty());
    BOOST_TEST(summary(accept_with(invitation, "not her own")) == "401 invalid_credentials");
    BOOST_TEST(role_of(eve.user) == "");

    auto came = accept_with(invitation, "long enough");
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(member_names(came) ==
               "access_token token_type expires_in refresh_token user workspace membership");
    BOOST_TEST(came.text("/user/id") == eve.user);
    BOOST_TEST(came.text("/workspace/id") == workspace);
    BOOST_TEST(jwt_part(came.text("/access_token"), 1).text("/sid") != jwt_part(eve.token, 1).text("/sid"));
    BOOST_TEST(on_all_cores(server, get_request("/me", eve.token)) == "200"); // other sessions stay valid
    BOOST_TEST(role_of(eve.user) == "member");
    BOOST_TEST(log_in_with("eve@example.net", "long enough").text("/workspace/id") == workspace);
}

BOOST_FIXTURE_TEST_CASE(an_invite_is_accepted_only_by_its_addressee, acceptance_fixture)
{
    auto eve = verified("eve@example.net");
    auto invitation = invitation_token("eve@example.net", "admin"),
         other_invitation = invitation_token("zoe@example.org");
    for (auto& each : {invitation, other_invitation}) {
        BOOST_TEST(summary(accept(each, bob.token)) == "403 wrong_account");
        BOOST_TEST(summary(accept(each, token)) == "403 wrong_account");
        BOOST_TEST(summary(accept(each, "garbage")) == "401 unauthorized");
        BOOST_TEST(summary(accept(each, mint(R"({"name":"w","owner":"workspace","role":"admin"})"))) ==
                   "403 forbidden");
    }
    auto key = post("/api-keys", R"({"name":"k"})", eve.token).text("/secret");
    BOOST_TEST(summary(accept(invitation, key)) == "403 forbidden");
    // A session of another account is rejected even together with the right password.
    auto both = support::object({{"token", invitation}, {"password", "long enough"}});
    BOOST_TEST(summary(post("/invites/accept", both, bob.token)) == "403 wrong_account");
    BOOST_TEST(role_of(eve.user) == "");
    BOOST_TEST(db.sql("SELECT count(*) FROM memberships WHERE workspace_id = '" + workspace + "'") == "3");
    BOOST_TEST(accept(invitation, eve.token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(an_ended_session_cannot_accept, acceptance_fixture)
{
    auto eve = verified("eve@example.net");
    auto invitation = invitation_token("eve@example.net");
    BOOST_REQUIRE(post("/logout", "", eve.token).status == 204u);
    BOOST_TEST(summary(accept(invitation, eve.token)) == "401 unauthorized");
    BOOST_TEST(role_of(eve.user) == "");
}

BOOST_FIXTURE_TEST_CASE(a_disabled_account_cannot_accept, acceptance_fixture)
{
    auto eve = verified("eve@example.net");
    sign_up(client, "una@example.net"); // unverified
    auto eves = invitation_token("eve@example.net"), unas = invitation_token("una@example.net");
    db.sql("UPDATE users SET disabled_at = now() WHERE email LIKE '%example.net'");
    for (auto& each : {eves, unas})
        for (std::string password : {"long enough", "another of theirs"})
            BOOST_TEST(summary(accept_with(each, password)) == "403 account_disabled");
    BOOST_TEST(db.sql("SELECT count(*) FROM memberships WHERE workspace_id = '" + workspace + "'") == "3");
    BOOST_TEST(role_of(eve.user) == "");
}

BOOST_FIXTURE_TEST_CASE(an_existing_member_gets_a_conflict, acceptance_fixture)
{
    auto eve = verified("eve@example.net");
    auto invitation = invitation_token("eve@example.net", "admin");
    db.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace + "', '" + eve.user +
           "', 'member')");
    BOOST_TEST(summary(accept(invitation, eve.token)) == "409 already_member");
    BOOST_TEST(summary(accept_with(invitation, "long enough")) == "409 already_member");
    BOOST_TEST(role_of(eve.user) == "member");
}

BOOST_FIXTURE_TEST_CASE(a_used_link_does_not_restore_a_removed_member, acceptance_fixture)
{
    auto invitation = invitation_token("zoe@example.org");
    auto zoe = accept_with(invitation, "long enough");
    BOOST_REQUIRE(zoe.status == 200u);
    BOOST_REQUIRE(client.del(base + "/team/" + zoe.text("/user/id"), token).status == 204u);
    BOOST_TEST(invite_error(accept_with(invitation, "long enough")) == accepted);
    auto back = log_in_with("zoe@example.org", "long enough");
    BOOST_TEST(json_at(back, "/workspace") == "null");
    BOOST_TEST(invite_error(accept(invitation, back.text("/access_token"))) == accepted);
    BOOST_TEST(role_of(zoe.text("/user/id")) == "");
    // A new invite lets the account, which has no workspace left, rejoin.
    auto again = accept(invitation_token("zoe@example.org"), back.text("/access_token"));
    BOOST_TEST(again.text("/workspace/id") == workspace);
}

BOOST_FIXTURE_TEST_CASE(the_address_of_a_deleted_account_can_accept_again, acceptance_fixture)
{
    auto leave = [&](const std::string& with) {
        return client.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})", with);
    };
    auto eve = verified("eve@example.net");
    auto invitation = invitation_token("eve@example.net");
    BOOST_REQUIRE(leave(eve.token).status == 204u);
    // The invite has gone with the account, since it contains the address.
    BOOST_TEST(summary(accept(invitation, eve.token)) == "400 invalid_token");
    invitation = invitation_token("eve@example.net");
    BOOST_TEST(summary(accept(invitation, eve.token)) == "401 unauthorized");
    auto came = accept_with(invitation, "long enough");
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(came.text("/user/id") != eve.user);
    BOOST_REQUIRE(leave(came.text("/access_token")).status == 204u);
    BOOST_TEST(summary(accept_with(invitation, "long enough")) == "400 invalid_token");
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email = 'eve@example.net'") == "0");
}

BOOST_AUTO_TEST_CASE(failed_passwords_share_the_limit_of_the_login)
{
    acceptance_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    auto eve = fixture.verified("eve@example.net");
    auto invitation = fixture.invitation_token("eve@example.net");
    fixture.client.set("User-Agent", "not a device of hers");
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(summary(fixture.accept_with(invitation, "not her own")) == "401 invalid_credentials");
    BOOST_TEST(summary(fixture.accept_with(invitation, "long enough")) == "429 rate_limited");
    BOOST_TEST(fixture.log_in_with("eve@example.net", "long enough").status == 429u);
    BOOST_TEST(fixture.role_of(eve.user) == "");
    BOOST_TEST(fixture.accept(invitation, eve.token).status == 200u); // a session is not limited
}

BOOST_AUTO_TEST_SUITE_END()
