// Sign-ups with an address of a workspace's domain: the three join policies, and the admins' decisions.
#include "tests/e2e/support/domain_fixture.hpp"

#include <string>

using namespace e2e;

BOOST_AUTO_TEST_SUITE(join_requests)

BOOST_FIXTURE_TEST_CASE(closed_gives_each_account_a_workspace_of_its_own, domain_fixture)
{
    set_join_policy("closed");
    auto made = post_signup("zoe@example.com");
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(made.text("/workspace/name") == "Zoe Z.'s workspace");
    BOOST_TEST(json_at(requests(), "/total") == "0");
    verify("zoe@example.com");
    BOOST_TEST(role_of(made.text("/user/id")) == "");
    BOOST_TEST(no_more_emails("ada@example.com", join_request_subject));
}

BOOST_FIXTURE_TEST_CASE(approval_keeps_an_account_pending_until_an_admin_decides, domain_fixture)
{
    auto made =
        post("/signup", R"({"email":"Zoe@EXAMPLE.com","password":"long enough","workspace_name":"Own"})");
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(member_names(made) ==
               "user workspace membership access_token token_type expires_in refresh_token");
    BOOST_TEST(json_at(made, "/workspace") == "null");
    BOOST_TEST(json_at(made, "/membership") == "null");
    auto zoe = person_from(made);
    BOOST_TEST(json_at(jwt_part(zoe.token, 1), "/wid") == "null");
    BOOST_TEST(db.sql("SELECT count(*) FROM workspaces WHERE owner_id = '" + zoe.user + "'") == "0");
    auto page = requests();
    BOOST_TEST(member_names(page) == "items next_cursor total");
    BOOST_TEST(member_names(page, "/items/0") == "user_id email name email_verified requested_at");
    BOOST_TEST(page.text("/items/0/user_id") == zoe.user);
    BOOST_TEST(page.text("/items/0/email") == "Zoe@EXAMPLE.com");
    BOOST_TEST(json_at(page, "/items/0/email_verified") == "false");
    BOOST_TEST(is_recent(page.text("/items/0/requested_at")));
    BOOST_TEST(summary(approve(zoe.user)) == "409 email_not_verified");
    BOOST_TEST(no_more_emails("ada@example.com", join_request_subject)); // the address is not verified

    verify("Zoe@EXAMPLE.com");
    auto mail = email_to("ada@example.com", join_request_subject);
    BOOST_TEST(mail.subject == "Zoe@EXAMPLE.com asks to join “ada's workspace”");
    BOOST_TEST(no_more_emails("mel@example.com",
                              join_request_subject)); // an admin with an unverified address
    BOOST_TEST(no_more_emails("bob@example.com", join_request_subject));
    BOOST_TEST(json_at(requests(), "/items/0/email_verified") == "true");
    BOOST_TEST(role_of(zoe.user) == "");

    auto admitted = approve(zoe.user);
    BOOST_TEST(admitted.status == 200u);
    BOOST_TEST(member_names(admitted) == "user_id email name role is_owner status joined_at");
    BOOST_TEST(admitted.text("/user_id") == zoe.user);
    BOOST_TEST(admitted.text("/role") == "member");
    BOOST_TEST(email_to("Zoe@EXAMPLE.com", "Welcome to").subject == "Welcome to “ada's workspace”");
    BOOST_TEST(json_at(requests(), "/total") == "0");
    BOOST_TEST(summary(approve(zoe.user)) == "404 not_found");
    BOOST_TEST(summary(reject(zoe.user)) == "404 not_found");

    BOOST_TEST(json_at(client.get(base + "/workspaces", zoe.token), "/total") == "1");
    auto there = post("/workspaces/" + workspace + "/switch", "", zoe.token);
    BOOST_TEST(there.status == 200u);
    BOOST_TEST(refresh_workspace(zoe) == workspace);
    BOOST_TEST(on_all_cores(server, get_request("/team", zoe.token)) == "200");
    BOOST_TEST(log_in(client, "zoe@example.com").workspace == workspace);
}

BOOST_FIXTURE_TEST_CASE(an_existing_session_enters_after_approval, domain_fixture)
{
    auto zoe = sign_up_verified("zoe@example.com");
    BOOST_TEST(refresh_workspace(zoe) == "");
    BOOST_REQUIRE(approve(zoe.user).status == 200u);
    BOOST_TEST(refresh_workspace(zoe) == workspace);
    BOOST_TEST(client.get(base + "/me", zoe.token).text("/role") == "member");
}

BOOST_FIXTURE_TEST_CASE(open_admits_an_account_once_its_address_is_verified, domain_fixture)
{
    set_join_policy("open");
    auto zoe = sign_up_pending("zoe@example.com");
    BOOST_TEST(role_of(zoe.user) == "");
    BOOST_TEST(summary(client.get(base + "/team", zoe.token)) == "403 pending_approval");
    BOOST_TEST(json_at(requests(), "/total") == "1");
    BOOST_TEST(refresh_workspace(zoe) == "");
    verify("zoe@example.com");
    BOOST_TEST(role_of(zoe.user) == "member");
    BOOST_TEST(json_at(requests(), "/total") == "0");
    BOOST_TEST(refresh_workspace(zoe) == workspace);
    BOOST_TEST(on_all_cores(server, get_request("/team", zoe.token)) == "200");
    BOOST_TEST(no_more_emails("ada@example.com", join_request_subject)); // no decision is needed
}

BOOST_FIXTURE_TEST_CASE(a_rejected_account_is_no_longer_pending_and_can_join_elsewhere, domain_fixture)
{
    auto zoe = sign_up_verified("zoe@example.com");
    auto refused = reject(zoe.user);
    BOOST_TEST(refused.status == 204u);
    BOOST_TEST(refused.body.empty());
    BOOST_TEST(email_to("zoe@example.com", "Your request to join").subject ==
               "Your request to join “ada's workspace”");
    BOOST_TEST(json_at(requests(), "/total") == "0");
    BOOST_TEST(summary(approve(zoe.user)) == "404 not_found");
    BOOST_TEST(summary(reject(zoe.user)) == "404 not_found");
    BOOST_TEST(on_all_cores(server, get_request("/team", zoe.token)) ==
               "403 forbidden_scope"); // no longer pending
    BOOST_TEST(on_all_cores(server, get_request("/me", zoe.token)) == "200");
    auto own = post("/workspaces", R"({"name":"Own"})", zoe.token).text("/id");
    BOOST_TEST(refresh_workspace(zoe) == own);
    BOOST_TEST(role_of(zoe.user) == "");

    auto una = sign_up_pending("una@example.com"); // with an unverified address
    BOOST_TEST(reject(una.user).status == 204u);
    BOOST_TEST(json_at(requests(), "/total") == "0");
}

BOOST_FIXTURE_TEST_CASE(only_admins_decide_and_only_in_their_own_workspace, domain_fixture)
{
    auto zoe = sign_up_verified("zoe@example.com");
    db.sql("UPDATE memberships SET role = 'manager' WHERE user_id = '" + bob.user + "' AND workspace_id = '" +
           workspace + "'");
    auto manager = log_in(client, "bob@example.com").token;
    auto narrow = mint(R"({"name":"k","scopes":["team:read","team:invite","team:roles"]})");
    for (auto& credential : {manager, narrow}) {
        BOOST_TEST(client.get(base + "/team/requests", credential).text("/required") == "team:approve");
        BOOST_TEST(decide(zoe.user, "approve", credential).text("/required") == "team:approve");
        BOOST_TEST(decide(zoe.user, "reject", credential).text("/required") == "team:approve");
    }
    auto eve = sign_up(client, "eve@example.net");
    BOOST_TEST(summary(decide(zoe.user, "approve", eve.token)) == "404 not_found");
    BOOST_TEST(summary(decide(zoe.user, "reject", eve.token)) == "404 not_found");
    BOOST_TEST(json_at(client.get(base + "/team/requests", eve.token), "/total") == "0");
    for (auto& id : {eve.user, user, workspace, std::string("x")}) {
        BOOST_TEST(summary(approve(id)) == "404 not_found", id);
        BOOST_TEST(summary(reject(id)) == "404 not_found", id);
    }
    BOOST_TEST(summary(decide(zoe.user, "approve", zoe.token)) == "403 pending_approval");
    BOOST_TEST(role_of(zoe.user) == "");
    auto key = mint(R"({"name":"k","scopes":["team:approve"]})");
    BOOST_TEST(decide(zoe.user, "approve", key).status == 200u);
    auto yan = sign_up_verified("yan@example.com");
    auto workspace_key = mint(R"({"name":"w","owner":"workspace","role":"admin"})");
    BOOST_TEST(decide(yan.user, "approve", workspace_key).status == 200u);
    auto uma = sign_up_verified("uma@example.com");
    BOOST_TEST(decide(uma.user, "reject", mel.token).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(requests_are_listed_page_by_page, domain_fixture)
{
    std::vector<std::string> ids;
    for (std::string name : {"u", "v", "w", "x", "y"})
        ids.push_back(sign_up_pending(name + "@example.com").user);
    auto first = requests("?limit=2");
    BOOST_TEST(json_at(first, "/total") == "5");
    BOOST_TEST(join(item_texts(first, "user_id")) == ids[0] + " " + ids[1]);
    BOOST_REQUIRE(reject(ids[2]).status == 204u);
    auto cursor = "?limit=2&cursor=" + first.text("/next_cursor");
    BOOST_TEST(join(item_texts(requests(cursor), "user_id")) == ids[3] + " " + ids[4]);
    BOOST_TEST(summary(client.get(base + "/team/requests" + cursor, mel.token)) == "400 invalid_cursor");
    BOOST_TEST(summary(client.get(base + "/team" + cursor, token)) == "400 invalid_cursor");
    BOOST_TEST(summary(requests("?cursor=")) == "400 invalid_cursor");
    db.sql("UPDATE users SET disabled_at = now() WHERE id = '" + ids[4] + "'");
    BOOST_TEST(json_at(requests(), "/total") == "3"); // an account disabled meanwhile is not listed
    BOOST_TEST(summary(approve(ids[4])) == "404 not_found");
}

BOOST_FIXTURE_TEST_CASE(a_domain_applies_once_an_admin_has_verified_an_address_of_it, domain_fixture)
{
    set_join_policy("open", "engines.example");
    BOOST_TEST(json_at(post_signup("first@engines.example"), "/workspace/name") == "\"Zoe Z.'s workspace\"");
    auto boss = person_from(post_signup("boss@engines.example"));
    db.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace + "', '" +
           boss.user + "', 'member')");
    BOOST_TEST(post_signup("second@engines.example").text("/workspace/name") == "Zoe Z.'s workspace");
    verify("boss@engines.example");
    BOOST_TEST(post_signup("mere@engines.example").text("/workspace/name") == "Zoe Z.'s workspace");
    BOOST_REQUIRE(client.patch(base + "/team/" + boss.user, R"({"role":"admin"})", token).status == 200u);
    sign_up_pending("third@engines.example");
    BOOST_TEST(post_signup("zoe@sub.engines.example").text("/workspace/name") == "Zoe Z.'s workspace");
    BOOST_TEST(post_signup("zoe@xengines.example").text("/workspace/name") == "Zoe Z.'s workspace");

    // It ceases to apply when no verified admin of it is left, for pending accounts too.
    BOOST_REQUIRE(client.del(base + "/team/" + boss.user, token).status == 204u);
    BOOST_TEST(post_signup("fourth@engines.example").text("/workspace/name") == "Zoe Z.'s workspace");
    verify("third@engines.example");
    BOOST_TEST(
        db.sql("SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email LIKE "
               "'third@%'") == "0");
}

BOOST_FIXTURE_TEST_CASE(a_free_email_domain_never_applies, domain_fixture)
{
    db.sql("UPDATE workspaces SET join_policy = 'open', join_domain = 'gmail.com' WHERE id = '" + workspace +
           "'; UPDATE users SET email = 'ada@gmail.com', email_normalized = 'ada@gmail.com' WHERE id = '" +
           user + "'");
    BOOST_TEST(post_signup("zoe@gmail.com").text("/workspace/name") == "Zoe Z.'s workspace");
}

BOOST_FIXTURE_TEST_CASE(the_policy_at_the_time_of_verification_applies, domain_fixture)
{
    auto zoe = sign_up_pending("zoe@example.com"), yan = sign_up_pending("yan@example.com"),
         uma = sign_up_pending("uma@example.com");
    set_join_policy("open");
    verify("zoe@example.com");
    BOOST_TEST(role_of(zoe.user) == "member");
    set_join_policy("open", "engines.example");
    verify("yan@example.com"); // the domain has changed meanwhile
    BOOST_TEST(role_of(yan.user) == "");
    set_join_policy("closed");
    verify("uma@example.com");
    BOOST_TEST(role_of(uma.user) == "");
    BOOST_TEST(join(item_texts(requests(), "user_id")) ==
               yan.user + " " + uma.user); // still to be decided by an admin
    BOOST_TEST(approve(yan.user).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(changing_the_address_does_not_join, domain_fixture)
{
    auto zoe = sign_up_verified("zoe@example.com");
    auto own = post("/workspaces", R"({"name":"Own"})", zoe.token).text("/id");
    auto there = post("/workspaces/" + own + "/switch", "", zoe.token).text("/access_token");
    BOOST_REQUIRE(
        post("/email/change", R"({"new_email":"zoe@example.net","password":"long enough"})", there).status ==
        202u);
    BOOST_TEST(json_at(requests(), "/total") == "1"); // until the address is confirmed
    auto link = support::object({{"token", emailed_token("zoe@example.net", "")}});
    BOOST_REQUIRE(post("/email/change/confirm", link).status == 200u);
    BOOST_TEST(json_at(requests(), "/total") == "0");
    BOOST_TEST(summary(approve(zoe.user)) == "404 not_found");
}

BOOST_FIXTURE_TEST_CASE(admins_are_notified_once_per_request, domain_fixture)
{
    sign_up_verified("zoe@example.com");
    email_to("ada@example.com", join_request_subject);
    BOOST_REQUIRE(post("/password/forgot", R"({"email":"zoe@example.com"})").status == 202u);
    auto link = emailed_token("zoe@example.com", "Reset your password");
    auto reset = post("/password/reset", support::object({{"token", link}, {"password", "another one"}}));
    BOOST_REQUIRE_MESSAGE(reset.status == 204u, reset.body);
    BOOST_TEST(no_more_emails("ada@example.com", join_request_subject));
}

BOOST_FIXTURE_TEST_CASE(an_invite_admits_a_pending_account, domain_fixture)
{
    auto zoe = sign_up_verified("zoe@example.com");
    auto came = accept(invitation_token("zoe@example.com", "manager"), zoe.token);
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(role_of(zoe.user) == "manager");
    BOOST_TEST(json_at(requests(), "/total") == "0");
    BOOST_TEST(on_all_cores(server, get_request("/team/invites", came.text("/access_token"))) == "200");
}

BOOST_FIXTURE_TEST_CASE(an_invite_admits_with_its_role_where_verification_would_admit_too, domain_fixture)
{
    for (std::string policy : {"open", "approval"}) {
        set_join_policy(policy);
        auto by_password = sign_up_pending("p-" + policy + "@example.com"),
             by_session = sign_up_pending("s-" + policy + "@example.com");
        sign_up_pending("n-" + policy + "@example.com");
        auto invited = [&](const std::string& who) {
            return invitation_token(who + "-" + policy + "@example.com", "manager");
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
        BOOST_TEST(json_at(requests(), "/total") == "0");
        BOOST_TEST(no_more_emails("ada@example.com", join_request_subject)); // already decided
    }
}

BOOST_FIXTURE_TEST_CASE(a_link_without_the_password_joins_no_workspace, domain_fixture)
{
    for (std::string policy : {"open", "approval"}) {
        set_join_policy(policy);
        auto zoe = sign_up_pending(policy + "@example.com");
        auto token = emailed_token(policy + "@example.com", "Confirm your email address");
        BOOST_TEST(post("/email/verify", support::object({{"token", token}})).status == 200u);
        BOOST_TEST(role_of(zoe.user) == "");
        BOOST_TEST(summary(approve(zoe.user)) == "409 email_not_verified");
        BOOST_TEST(post("/email/verify/resend", "", zoe.token).status == 202u);
        token = emailed_token(policy + "@example.com", "Confirm your email address");
        BOOST_TEST(post("/email/verify", support::object({{"token", token}}), zoe.token).status == 200u);
        BOOST_TEST(role_of(zoe.user) == (policy == "open" ? "member" : ""));
    }
    email_to("ada@example.com", join_request_subject);
}

BOOST_AUTO_TEST_SUITE_END()
