// People who sign up with an address of a workspace's domain: what becomes of them, and who decides it.
#include "tests/e2e/support/domain_fixture.hpp"

#include <string>

using namespace flows;

BOOST_AUTO_TEST_SUITE(join_requests)

BOOST_FIXTURE_TEST_CASE(where_it_is_closed_everybody_begins_on_their_own, domain)
{
    set_up("closed");
    auto made = arrive("zoe@example.com");
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(made.text("/workspace/name") == "Zoe Z.'s workspace");
    BOOST_TEST(at(requests(), "/total") == "0");
    verify("zoe@example.com");
    BOOST_TEST(role_of(made.text("/user/id")) == "");
    BOOST_TEST(is_silent("ada@example.com", asked_subject));
}

BOOST_FIXTURE_TEST_CASE(where_it_takes_approval_they_wait_for_an_admin, domain)
{
    auto made =
        post("/signup", R"({"email":"Zoe@EXAMPLE.com","password":"long enough","workspace_name":"Own"})");
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(members(made) == "user workspace membership access_token token_type expires_in refresh_token");
    BOOST_TEST(at(made, "/workspace") == "null");
    BOOST_TEST(at(made, "/membership") == "null");
    auto zoe = person_of(made);
    BOOST_TEST(at(part_of(zoe.token, 1), "/wid") == "null");
    BOOST_TEST(db.sql("SELECT count(*) FROM workspaces WHERE owner_id = '" + zoe.user + "'") == "0");
    auto page = requests();
    BOOST_TEST(members(page) == "items next_cursor total");
    BOOST_TEST(members(page, "/items/0") == "user_id email name email_verified requested_at");
    BOOST_TEST(page.text("/items/0/user_id") == zoe.user);
    BOOST_TEST(page.text("/items/0/email") == "Zoe@EXAMPLE.com");
    BOOST_TEST(at(page, "/items/0/email_verified") == "false");
    BOOST_TEST(is_recent(page.text("/items/0/requested_at")));
    BOOST_TEST(verdict(approve(zoe.user)) == "409 email_not_verified");
    BOOST_TEST(is_silent("ada@example.com", asked_subject)); // anybody could have written that address

    verify("Zoe@EXAMPLE.com");
    auto mail = letter_to("ada@example.com", asked_subject);
    BOOST_TEST(mail.subject == "Zoe@EXAMPLE.com asks to join “ada's workspace”");
    BOOST_TEST(is_silent("mel@example.com", asked_subject)); // an admin, but who knows whose address that is
    BOOST_TEST(is_silent("bob@example.com", asked_subject));
    BOOST_TEST(at(requests(), "/items/0/email_verified") == "true");
    BOOST_TEST(role_of(zoe.user) == "");

    auto admitted = approve(zoe.user);
    BOOST_TEST(admitted.status == 200u);
    BOOST_TEST(members(admitted) == "user_id email name role is_owner status joined_at");
    BOOST_TEST(admitted.text("/user_id") == zoe.user);
    BOOST_TEST(admitted.text("/role") == "member");
    BOOST_TEST(letter_to("Zoe@EXAMPLE.com", "Welcome to").subject == "Welcome to “ada's workspace”");
    BOOST_TEST(at(requests(), "/total") == "0");
    BOOST_TEST(verdict(approve(zoe.user)) == "404 not_found");
    BOOST_TEST(verdict(reject(zoe.user)) == "404 not_found");

    BOOST_TEST(at(client.get(base + "/workspaces", zoe.token), "/total") == "1");
    auto there = post("/workspaces/" + workspace + "/switch", "", zoe.token);
    BOOST_TEST(there.status == 200u);
    BOOST_TEST(refreshed_to(zoe) == workspace);
    BOOST_TEST(everywhere(server, to_get("/team", zoe.token)) == "200");
    BOOST_TEST(log_in(client, "zoe@example.com").workspace == workspace);
}

BOOST_FIXTURE_TEST_CASE(a_session_of_somebody_admitted_leads_in_by_itself, domain)
{
    auto zoe = verified_newcomer("zoe@example.com");
    BOOST_TEST(refreshed_to(zoe) == "");
    BOOST_REQUIRE(approve(zoe.user).status == 200u);
    BOOST_TEST(refreshed_to(zoe) == workspace);
    BOOST_TEST(client.get(base + "/me", zoe.token).text("/role") == "member");
}

BOOST_FIXTURE_TEST_CASE(where_it_is_open_the_address_alone_lets_in_once_it_is_proved, domain)
{
    set_up("open");
    auto zoe = newcomer("zoe@example.com");
    BOOST_TEST(role_of(zoe.user) == "");
    BOOST_TEST(verdict(client.get(base + "/team", zoe.token)) == "403 pending_approval");
    BOOST_TEST(at(requests(), "/total") == "1");
    BOOST_TEST(refreshed_to(zoe) == "");
    verify("zoe@example.com");
    BOOST_TEST(role_of(zoe.user) == "member");
    BOOST_TEST(at(requests(), "/total") == "0");
    BOOST_TEST(refreshed_to(zoe) == workspace);
    BOOST_TEST(everywhere(server, to_get("/team", zoe.token)) == "200");
    BOOST_TEST(is_silent("ada@example.com", asked_subject)); // there is nothing to decide
}

BOOST_FIXTURE_TEST_CASE(who_is_rejected_waits_no_more_and_can_go_elsewhere, domain)
{
    auto zoe = verified_newcomer("zoe@example.com");
    auto refused = reject(zoe.user);
    BOOST_TEST(refused.status == 204u);
    BOOST_TEST(refused.body.empty());
    BOOST_TEST(letter_to("zoe@example.com", "Your request to join").subject ==
               "Your request to join “ada's workspace”");
    BOOST_TEST(at(requests(), "/total") == "0");
    BOOST_TEST(verdict(approve(zoe.user)) == "404 not_found");
    BOOST_TEST(verdict(reject(zoe.user)) == "404 not_found");
    BOOST_TEST(everywhere(server, to_get("/team", zoe.token)) ==
               "403 forbidden_scope"); // not pending any more
    BOOST_TEST(everywhere(server, to_get("/me", zoe.token)) == "200");
    auto own = post("/workspaces", R"({"name":"Own"})", zoe.token).text("/id");
    BOOST_TEST(refreshed_to(zoe) == own);
    BOOST_TEST(role_of(zoe.user) == "");

    auto una = newcomer("una@example.com"); // whom nobody has proved to be there
    BOOST_TEST(reject(una.user).status == 204u);
    BOOST_TEST(at(requests(), "/total") == "0");
}

BOOST_FIXTURE_TEST_CASE(only_admins_decide_and_each_over_their_own, domain)
{
    auto zoe = verified_newcomer("zoe@example.com");
    db.sql("UPDATE memberships SET role = 'manager' WHERE user_id = '" + bob.user + "' AND workspace_id = '" +
           workspace + "'");
    auto manager = log_in(client, "bob@example.com").token;
    auto narrow = mint(R"({"name":"k","scopes":["team:read","team:invite","team:roles"]})");
    for (auto& credential : {manager, narrow}) {
        BOOST_TEST(client.get(base + "/team/requests", credential).text("/required") == "team:approve");
        BOOST_TEST(settle(zoe.user, "approve", credential).text("/required") == "team:approve");
        BOOST_TEST(settle(zoe.user, "reject", credential).text("/required") == "team:approve");
    }
    auto eve = sign_up(client, "eve@example.net");
    BOOST_TEST(verdict(settle(zoe.user, "approve", eve.token)) == "404 not_found");
    BOOST_TEST(verdict(settle(zoe.user, "reject", eve.token)) == "404 not_found");
    BOOST_TEST(at(client.get(base + "/team/requests", eve.token), "/total") == "0");
    for (auto& whom : {eve.user, user, workspace, std::string("x")}) {
        BOOST_TEST(verdict(approve(whom)) == "404 not_found", whom);
        BOOST_TEST(verdict(reject(whom)) == "404 not_found", whom);
    }
    BOOST_TEST(verdict(settle(zoe.user, "approve", zoe.token)) == "403 pending_approval");
    BOOST_TEST(role_of(zoe.user) == "");
    auto key = mint(R"({"name":"k","scopes":["team:approve"]})");
    BOOST_TEST(settle(zoe.user, "approve", key).status == 200u);
    auto yan = verified_newcomer("yan@example.com");
    auto nobodys = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    BOOST_TEST(settle(yan.user, "approve", nobodys).status == 200u);
    auto uma = verified_newcomer("uma@example.com");
    BOOST_TEST(settle(uma.user, "reject", mel.token).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(requests_come_page_by_page, domain)
{
    std::vector<std::string> ids;
    for (std::string name : {"u", "v", "w", "x", "y"})
        ids.push_back(newcomer(name + "@example.com").user);
    auto first = requests("?limit=2");
    BOOST_TEST(at(first, "/total") == "5");
    BOOST_TEST(join(texts(first, "user_id")) == ids[0] + " " + ids[1]);
    BOOST_REQUIRE(reject(ids[2]).status == 204u);
    auto cursor = "?limit=2&cursor=" + first.text("/next_cursor");
    BOOST_TEST(join(texts(requests(cursor), "user_id")) == ids[3] + " " + ids[4]);
    BOOST_TEST(verdict(client.get(base + "/team/requests" + cursor, mel.token)) == "400 invalid_cursor");
    BOOST_TEST(verdict(client.get(base + "/team" + cursor, token)) == "400 invalid_cursor");
    BOOST_TEST(verdict(requests("?cursor=")) == "400 invalid_cursor");
    db.sql("UPDATE users SET disabled_at = now() WHERE id = '" + ids[4] + "'");
    BOOST_TEST(at(requests(), "/total") == "3"); // who was shut out waits no more
    BOOST_TEST(verdict(approve(ids[4])) == "404 not_found");
}

BOOST_FIXTURE_TEST_CASE(a_domain_counts_once_an_admin_has_proved_to_be_of_it, domain)
{
    set_up("open", "engines.example");
    BOOST_TEST(at(arrive("first@engines.example"), "/workspace/name") == "\"Zoe Z.'s workspace\"");
    auto boss = person_of(arrive("boss@engines.example"));
    db.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace + "', '" +
           boss.user + "', 'member')");
    BOOST_TEST(arrive("second@engines.example").text("/workspace/name") == "Zoe Z.'s workspace");
    verify("boss@engines.example");
    BOOST_TEST(arrive("mere@engines.example").text("/workspace/name") == "Zoe Z.'s workspace");
    BOOST_REQUIRE(client.patch(base + "/team/" + boss.user, R"({"role":"admin"})", token).status == 200u);
    newcomer("third@engines.example");
    BOOST_TEST(arrive("zoe@sub.engines.example").text("/workspace/name") == "Zoe Z.'s workspace");
    BOOST_TEST(arrive("zoe@xengines.example").text("/workspace/name") == "Zoe Z.'s workspace");

    // It ceases to when nobody of it is left, for who has not been let in by then as well.
    BOOST_REQUIRE(client.del(base + "/team/" + boss.user, token).status == 204u);
    BOOST_TEST(arrive("fourth@engines.example").text("/workspace/name") == "Zoe Z.'s workspace");
    verify("third@engines.example");
    BOOST_TEST(
        db.sql("SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email LIKE "
               "'third@%'") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_public_providers_domain_counts_for_nobody, domain)
{
    db.sql("UPDATE workspaces SET join_policy = 'open', join_domain = 'gmail.com' WHERE id = '" + workspace +
           "'; UPDATE users SET email = 'ada@gmail.com', email_normalized = 'ada@gmail.com' WHERE id = '" +
           user + "'");
    BOOST_TEST(arrive("zoe@gmail.com").text("/workspace/name") == "Zoe Z.'s workspace");
}

BOOST_FIXTURE_TEST_CASE(what_the_workspace_says_when_the_address_is_proved_counts, domain)
{
    auto zoe = newcomer("zoe@example.com"), yan = newcomer("yan@example.com"),
         uma = newcomer("uma@example.com");
    set_up("open");
    verify("zoe@example.com");
    BOOST_TEST(role_of(zoe.user) == "member");
    set_up("open", "engines.example");
    verify("yan@example.com"); // whose domain is another now
    BOOST_TEST(role_of(yan.user) == "");
    set_up("closed");
    verify("uma@example.com");
    BOOST_TEST(role_of(uma.user) == "");
    BOOST_TEST(join(texts(requests(), "user_id")) == yan.user + " " + uma.user); // still an admin's to settle
    BOOST_TEST(approve(yan.user).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(another_address_is_no_reason_to_join, domain)
{
    auto zoe = verified_newcomer("zoe@example.com");
    auto own = post("/workspaces", R"({"name":"Own"})", zoe.token).text("/id");
    auto there = post("/workspaces/" + own + "/switch", "", zoe.token).text("/access_token");
    BOOST_REQUIRE(
        post("/email/change", R"({"new_email":"zoe@example.net","password":"long enough"})", there).status ==
        202u);
    BOOST_TEST(at(requests(), "/total") == "1"); // until it is theirs
    auto link = support::object({{"token", token_to("zoe@example.net", "")}});
    BOOST_REQUIRE(post("/email/change/confirm", link).status == 200u);
    BOOST_TEST(at(requests(), "/total") == "0");
    BOOST_TEST(verdict(approve(zoe.user)) == "404 not_found");
}

BOOST_FIXTURE_TEST_CASE(admins_are_told_once_however_often_the_address_is_proved, domain)
{
    verified_newcomer("zoe@example.com");
    letter_to("ada@example.com", asked_subject);
    BOOST_REQUIRE(post("/password/forgot", R"({"email":"zoe@example.com"})").status == 202u);
    auto link = token_to("zoe@example.com", "Reset your password");
    auto reset = post("/password/reset", support::object({{"token", link}, {"password", "another one"}}));
    BOOST_REQUIRE_MESSAGE(reset.status == 204u, reset.body);
    BOOST_TEST(is_silent("ada@example.com", asked_subject));
}

BOOST_FIXTURE_TEST_CASE(an_invite_lets_in_who_waits, domain)
{
    auto zoe = verified_newcomer("zoe@example.com");
    auto came = accept(invitation_of("zoe@example.com", "manager"), zoe.token);
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(role_of(zoe.user) == "manager");
    BOOST_TEST(at(requests(), "/total") == "0");
    BOOST_TEST(everywhere(server, to_get("/team/invites", came.text("/access_token"))) == "200");
}

BOOST_FIXTURE_TEST_CASE(an_invite_lets_in_with_its_role_whom_proving_the_address_would_let_in, domain)
{
    for (std::string policy : {"open", "approval"}) {
        set_up(policy);
        auto by_password = newcomer("p-" + policy + "@example.com"),
             by_session = newcomer("s-" + policy + "@example.com");
        newcomer("n-" + policy + "@example.com");
        auto invited = [&](const std::string& who) {
            return invitation_of(who + "-" + policy + "@example.com", "manager");
        };
        auto first = accept_with(invited("p"), "long enough");
        BOOST_TEST(first.status == 200u, first.body);
        BOOST_TEST(first.text("/membership/role") == "manager");
        auto second = accept(invited("s"), by_session.token);
        BOOST_TEST(second.status == 200u, second.body);
        BOOST_TEST(second.text("/membership/role") == "manager");
        auto third = accept_with(invited("n"), "chosen by herself");
        BOOST_TEST(third.status == 200u, third.body);
        BOOST_TEST(third.text("/membership/role") == "manager");
        BOOST_TEST(at(requests(), "/total") == "0");
        BOOST_TEST(is_silent("ada@example.com", asked_subject)); // it has been decided
    }
}

BOOST_FIXTURE_TEST_CASE(who_signs_up_again_waits_again, domain)
{
    auto first = newcomer("zoe@example.com");
    auto dead = confirmation_of("zoe@example.com");
    auto second = newcomer("zoe@example.com"); // the address was nobody's for sure
    BOOST_TEST(post("/email/verify", dead).status == 400u);
    BOOST_TEST(join(texts(requests(), "user_id")) == second.user);
    BOOST_TEST(everywhere(server, to_get("/me", first.token)) == "401 unauthorized");
    verify("zoe@example.com");
}

BOOST_AUTO_TEST_SUITE_END()
