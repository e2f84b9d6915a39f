// What the trail tells of all that is done with a team, and that it tells of nothing that was not.
#include "tests/e2e/support/domain_fixture.hpp"

#include <string>

using namespace flows;

namespace {

/// Everything is done by an agent and under a request id that are easy to find again.
struct watched : domain {
    watched() { client.set("User-Agent", "watched/1.0"); }

    /// From now on, until it has been looked for.
    void about_to(const std::string& request) { client.set("X-Request-Id", request); }

    support::response trail(const std::string& query, const std::string& with)
    {
        return client.get(base + "/audit" + query, with);
    }

    /// The one event of a request, in the workspace of a credential.
    support::response event_of(const std::string& request, const std::string& action, const std::string& with)
    {
        auto page = trail("?action=" + action, with);
        BOOST_REQUIRE_MESSAGE(page.status == 200u, page.body);
        auto body = page.json();
        support::response out;
        int found = 0;
        for (auto& item : body.at("items").as_array())
            if (item.at("request_id").as_string() == request) {
                out.body = boost::json::serialize(item);
                ++found;
            }
        BOOST_TEST(found == 1, action);
        BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE request_id = '" + request + "'") == "1", action);
        return out;
    }

    void check(const support::response& event, const std::string& actor, const std::string& credential,
               const std::string& target, const std::string& details = "{}")
    {
        BOOST_TEST(members(event) == "id at action actor target ip user_agent request_id details");
        BOOST_TEST(is_id(event.text("/id")));
        BOOST_TEST(is_recent(event.text("/at")));
        BOOST_TEST(members(event, "/actor") == "user_id credential");
        BOOST_TEST(event.text("/actor/user_id") == actor);
        BOOST_TEST(event.text("/actor/credential") == credential);
        BOOST_TEST(event.text("/target") == target);
        BOOST_TEST(event.text("/ip") == "127.0.0.1");
        BOOST_TEST(event.text("/user_agent") == "watched/1.0");
        BOOST_TEST(at(event, "/details") == details);
    }

    std::string events() { return db.sql("SELECT count(*) FROM audit"); }

    std::string session = part_of(token, 1).text("/sid");
};

std::string session_of(const std::string& token)
{
    return part_of(token, 1).text("/sid");
}

} // namespace

BOOST_AUTO_TEST_SUITE(audit)

BOOST_FIXTURE_TEST_CASE(roles_and_removals_are_told, watched)
{
    about_to("promote");
    BOOST_REQUIRE(client.patch(base + "/team/" + bob.user, R"({"role":"manager"})", token).status == 200u);
    check(event_of("promote", "team.set_role", token), user, session, bob.user,
          R"({"to":"manager","from":"member"})");

    auto key = client.post(base + "/api-keys", R"({"name":"w","owner":"workspace","role":"admin"})", token);
    about_to("by-key");
    BOOST_REQUIRE(
        client.patch(base + "/team/" + bob.user, R"({"role":"member"})", key.text("/secret")).status == 200u);
    auto by_key = event_of("by-key", "team.set_role", token);
    check(by_key, "", key.text("/id"), bob.user, R"({"to":"member","from":"manager"})");
    BOOST_TEST(at(by_key, "/actor/user_id") == "null");

    about_to("leave");
    BOOST_REQUIRE(client.del(base + "/team/" + bob.user, bob.token).status == 204u);
    check(event_of("leave", "team.leave", token), bob.user, session_of(bob.token), bob.user);

    auto own = client.post(base + "/api-keys", R"({"name":"k"})", token);
    about_to("remove");
    BOOST_REQUIRE(client.del(base + "/team/" + mel.user, own.text("/secret")).status == 204u);
    check(event_of("remove", "team.remove", token), user, own.text("/id"), mel.user);
}

BOOST_FIXTURE_TEST_CASE(what_is_done_with_workspaces_is_told, watched)
{
    about_to("create");
    auto made = post("/workspaces", R"({"name":"Second"})", token).text("/id");
    about_to("switch");
    auto there = post("/workspaces/" + made + "/switch", "", token).text("/access_token");
    check(event_of("create", "workspace.create", there), user, session, made);
    check(event_of("switch", "session.switch", there), user, session,
          session); // where it leads to, it is told
    BOOST_TEST(at(trail("?action=session.switch", token), "/total") == "0");

    about_to("update");
    BOOST_REQUIRE(
        client
            .patch(base + "/workspace",
                   R"({"name":"Ten","members_can_mint_keys":false,"join_policy":"open","join_domain":null})",
                   token)
            .status == 200u);
    check(event_of("update", "workspace.update", token), user, session, workspace,
          R"({"name":"Ten","join_domain":null,"join_policy":"open","members_can_mint_keys":false})");

    about_to("transfer");
    auto body = support::object({{"user_id", mel.user}, {"password", "long enough"}});
    BOOST_REQUIRE(post("/team/transfer-ownership", body, token).status == 200u);
    check(event_of("transfer", "workspace.transfer", token), user, session, mel.user);
}

BOOST_FIXTURE_TEST_CASE(the_lives_of_invites_are_told, watched)
{
    about_to("invite");
    auto id = invite_one("New@example.org", "manager", mel.token);
    check(event_of("invite", "invite.create", token), mel.user, session_of(mel.token), id,
          R"({"role":"manager","email":"New@example.org"})");
    about_to("resend");
    BOOST_REQUIRE(post("/team/invites/" + id + "/resend", "", token).status == 202u);
    check(event_of("resend", "invite.resend", token), user, session, id);
    about_to("cancel");
    BOOST_REQUIRE(client.del(base + "/team/invites/" + id, token).status == 204u);
    check(event_of("cancel", "invite.cancel", token), user, session, id);

    auto another = invite_one("eve@example.net");
    auto eve = sign_up(client, "eve@example.net");
    about_to("accept");
    BOOST_REQUIRE(accept(token_to("eve@example.net"), eve.token).status == 200u);
    // It is told that she joined, and that her session leads here now.
    auto joined = trail("?action=team.join", token), led = trail("?action=session.switch", token);
    BOOST_TEST(at(joined, "/total") == "1");
    BOOST_TEST(at(led, "/total") == "1");
    support::response event;
    event.body = at(joined, "/items/0");
    check(event, eve.user, session_of(eve.token), eve.user, R"({"invite":")" + another + R"("})");
    BOOST_TEST(event.text("/request_id") == "accept");
    BOOST_TEST(led.text("/items/0/request_id") == "accept");
}

BOOST_FIXTURE_TEST_CASE(of_a_batch_each_that_was_invited_is_told_and_no_other, watched)
{
    about_to("batch");
    auto made = invite(mel.token, {{"a@example.org", "member"},
                                   {"A@example.org", "member"},
                                   {"bob@example.com", "member"},
                                   {"b@example.org", "manager"}});
    BOOST_REQUIRE(join(texts(made, "result")) == "created already_invited already_member created");
    auto told = trail("?action=invite.create", token);
    BOOST_TEST(join(texts(told, "target")) ==
               made.text("/items/3/invite_id") + " " + made.text("/items/0/invite_id"));
    BOOST_TEST(join(texts(told, "details/email")) == "b@example.org a@example.org");
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE request_id = 'batch'") == "2");
}

BOOST_FIXTURE_TEST_CASE(who_came_by_a_link_signed_up_joined_and_signed_in, watched)
{
    auto id = invite_one("new@example.org");
    about_to("welcome");
    auto came = accept_with(token_to("new@example.org"), "long enough");
    auto who = came.text("/user/id");
    BOOST_TEST(
        db.sql("SELECT string_agg(action, ' ' ORDER BY id) FROM audit WHERE request_id = 'welcome' AND "
               "workspace_id = '" +
               workspace + "' AND actor_id = '" + who + "'") == "user.signup team.join session.open");
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE request_id = 'welcome'") == "3");
    BOOST_TEST(at(trail("?action=team.join", token), "/items/0/details") == R"({"invite":")" + id + R"("})");
}

BOOST_FIXTURE_TEST_CASE(how_requests_were_settled_is_told, watched)
{
    auto zoe = verified_newcomer("zoe@example.com"), yan = verified_newcomer("yan@example.com");
    about_to("approve");
    BOOST_REQUIRE(approve(zoe.user).status == 200u);
    check(event_of("approve", "request.approve", token), user, session, zoe.user);
    about_to("reject");
    BOOST_REQUIRE(reject(yan.user).status == 204u);
    check(event_of("reject", "request.reject", token), user, session, yan.user);

    set_up("open");
    auto uma = newcomer("uma@example.com");
    about_to("join");
    verify("uma@example.com");
    auto joined = trail("?action=team.join", token);
    BOOST_TEST(at(joined, "/total") == "1");
    support::response event;
    event.body = at(joined, "/items/0");
    check(event, uma.user, "", uma.user); // the link is no credential
    BOOST_TEST(event.text("/request_id") == "join");
}

BOOST_FIXTURE_TEST_CASE(what_was_refused_or_changed_nothing_is_not_told, watched)
{
    auto eve = sign_up(client, "eve@example.net");
    auto zoe = newcomer("zoe@example.com");
    auto id = invite_one("new@example.org", "admin"),
         eves = invite_one("new@example.org", "member", eve.token);
    auto invitation = invitation_of("mel@example.net"), cancelled = invite_one("c@example.org");
    verify_address("mel@example.net");
    sign_up(client, "mel@example.net");
    verify_address("mel@example.net");
    BOOST_REQUIRE(client.del(base + "/team/invites/" + cancelled, token).status == 204u);
    auto nobody = std::string("01890a5d-ac96-774b-bcce-b302099a8057");
    auto before = events();
    auto role = [&](const std::string& whom, const std::string& body, const std::string& with) {
        return client.patch(base + "/team/" + whom, body, with).status;
    };
    auto transfer = [&](const std::string& to, const std::string& password, const std::string& with) {
        return post("/team/transfer-ownership", support::object({{"user_id", to}, {"password", password}}),
                    with)
            .status;
    };
    const std::string member = R"({"role":"member"})";
    BOOST_TEST(role(bob.user, member, token) == 200u); // which he is
    BOOST_TEST(role(user, member, mel.token) == 409u);
    BOOST_TEST(role(mel.user, member, bob.token) == 403u);
    BOOST_TEST(role(eve.user, member, token) == 404u);
    BOOST_TEST(role(nobody, member, token) == 404u);
    BOOST_TEST(role(bob.user, R"({"role":"king"})", token) == 422u);
    BOOST_TEST(client.del(base + "/team/" + user, mel.token).status == 409u);
    BOOST_TEST(client.del(base + "/team/" + eve.user, token).status == 404u);
    BOOST_TEST(client.del(base + "/team/" + mel.user, bob.token).status == 403u);
    BOOST_TEST(client.get(base + "/team/" + mel.user + "/removal-preview", token).status == 200u);
    BOOST_TEST(transfer(bob.user, "not her own", token) == 403u);
    BOOST_TEST(transfer(eve.user, "long enough", token) == 404u);
    BOOST_TEST(transfer(user, "long enough", token) == 409u);
    BOOST_TEST(transfer(bob.user, "long enough", mel.token) == 403u);
    BOOST_TEST(client.patch(base + "/workspace", R"({"join_domain":"gmail.com"})", token).status == 422u);
    BOOST_TEST(client.patch(base + "/workspace", R"({"name":"x"})", bob.token).status == 403u);
    BOOST_TEST(post("/workspaces", R"({"name":""})", token).status == 422u);
    BOOST_TEST(post("/workspaces/" + eve.workspace + "/switch", "", token).status == 404u);
    BOOST_TEST(invite(token, {{"bob@example.com", "member"}, {"new@example.org", "member"}}).status == 409u);
    BOOST_TEST(invite(bob.token, {{"x@example.org", "member"}}).status == 403u);
    for (auto& each : {eves, cancelled, nobody}) {
        BOOST_TEST(post("/team/invites/" + each + "/resend", "", token).status == 404u);
        BOOST_TEST(client.del(base + "/team/invites/" + each, token).status == 404u);
    }
    BOOST_TEST(post("/team/invites/" + id + "/resend", "", bob.token).status == 403u);
    BOOST_TEST(approve(zoe.user).status == 409u);
    BOOST_TEST(approve(nobody).status == 404u);
    BOOST_TEST(reject(nobody).status == 404u);
    BOOST_TEST(reject(eve.user).status == 404u);
    BOOST_TEST(preview(invitation).status == 200u);
    BOOST_TEST(accept(invitation).status == 401u);
    BOOST_TEST(accept(invitation, bob.token).status == 403u);
    BOOST_TEST(accept_with(invitation, "not their own").status == 401u);
    BOOST_TEST(trail("", token).status == 200u);
    BOOST_TEST(events() == before);
}

BOOST_AUTO_TEST_SUITE_END()
