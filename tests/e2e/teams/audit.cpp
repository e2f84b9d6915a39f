// Audit events: each team action records one, and a rejected or ineffective call records none.
#include "tests/e2e/support/domain_fixture.hpp"

#include <algorithm>
#include <string>
#include <vector>

using namespace e2e;

namespace {

/// Requests with a known user agent, and request IDs by which their audit events are found.
struct audit_fixture : domain_fixture {
    audit_fixture() { client.set("User-Agent", "watched/1.0"); }

    /// Set the request ID of the requests that follow.
    void set_request_id(const std::string& request) { client.set("X-Request-Id", request); }

    support::response trail(const std::string& query, const std::string& with)
    {
        return client.get(base + "/audit" + query, with);
    }

    /// The only event of a request, read from the credential's workspace.
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
        BOOST_TEST(member_names(event) == "id at action actor target ip user_agent request_id details");
        BOOST_TEST(is_uuid_v7(event.text("/id")));
        BOOST_TEST(is_recent(event.text("/at")));
        BOOST_TEST(member_names(event, "/actor") == "user_id credential");
        BOOST_TEST(event.text("/actor/user_id") == actor);
        BOOST_TEST(event.text("/actor/credential") == credential);
        BOOST_TEST(event.text("/target") == target);
        BOOST_TEST(event.text("/ip") == "127.0.0.1");
        BOOST_TEST(event.text("/user_agent") == "watched/1.0");
        BOOST_TEST(json_at(event, "/details") == details);
    }

    /// The numbers of aggregated events, sorted.
    static std::string counts_in(const support::response& page)
    {
        std::vector<std::string> out;
        for (std::size_t i = 0; i < item_count(page); ++i)
            out.push_back(json_at(page, "/items/" + std::to_string(i) + "/details/count"));
        std::ranges::sort(out);
        return join(out);
    }

    /// Without refusals, which are written in the background.
    std::string event_count()
    {
        return db.sql("SELECT count(*) FROM audit WHERE action NOT IN ('access.denied', 'login.failed')");
    }

    std::string session = jwt_part(token, 1).text("/sid");
};

std::string session_of(const std::string& token)
{
    return jwt_part(token, 1).text("/sid");
}

} // namespace

BOOST_AUTO_TEST_SUITE(audit)

BOOST_FIXTURE_TEST_CASE(role_changes_and_removals_are_recorded, audit_fixture)
{
    set_request_id("promote");
    BOOST_REQUIRE(client.patch(base + "/team/" + bob.user, R"({"role":"manager"})", token).status == 200u);
    check(event_of("promote", "team.set_role", token), user, session, bob.user,
          R"({"to":"manager","from":"member"})");

    auto key = client.post(base + "/api-keys", R"({"name":"w","owner":"workspace","role":"admin"})", token);
    set_request_id("by-key");
    BOOST_REQUIRE(
        client.patch(base + "/team/" + bob.user, R"({"role":"member"})", key.text("/secret")).status == 200u);
    auto by_key = event_of("by-key", "team.set_role", token);
    check(by_key, "", key.text("/id"), bob.user, R"({"to":"member","from":"manager"})");
    BOOST_TEST(json_at(by_key, "/actor/user_id") == "null");

    set_request_id("leave");
    BOOST_REQUIRE(client.del(base + "/team/" + bob.user, bob.token).status == 204u);
    check(event_of("leave", "team.leave", token), bob.user, session_of(bob.token), bob.user);

    auto own = client.post(base + "/api-keys", R"({"name":"k"})", token);
    set_request_id("remove");
    BOOST_REQUIRE(client.del(base + "/team/" + mel.user, own.text("/secret")).status == 204u);
    check(event_of("remove", "team.remove", token), user, own.text("/id"), mel.user);
}

BOOST_FIXTURE_TEST_CASE(workspace_changes_are_recorded, audit_fixture)
{
    set_request_id("create");
    auto made = post("/workspaces", R"({"name":"Second"})", token).text("/id");
    set_request_id("switch");
    auto there = post("/workspaces/" + made + "/switch", "", token).text("/access_token");
    check(event_of("create", "workspace.create", there), user, session, made);
    check(event_of("switch", "session.switch", there), user, session,
          session); // recorded in the target workspace
    BOOST_TEST(json_at(trail("?action=session.switch", token), "/total") == "0");

    set_request_id("update");
    BOOST_REQUIRE(
        client
            .patch(base + "/workspace",
                   R"({"name":"Ten","members_can_mint_keys":false,"join_policy":"open","join_domain":null})",
                   token)
            .status == 200u);
    check(event_of("update", "workspace.update", token), user, session, workspace,
          R"({"name":"Ten","join_domain":null,"join_policy":"open","members_can_mint_keys":false})");

    set_request_id("transfer");
    auto body = support::object({{"user_id", mel.user}, {"password", "long enough"}});
    BOOST_REQUIRE(post("/team/transfer-ownership", body, token).status == 200u);
    check(event_of("transfer", "workspace.transfer", token), user, session, mel.user);
}

BOOST_FIXTURE_TEST_CASE(the_lifecycle_of_an_invite_is_recorded, audit_fixture)
{
    verify_address("mel@example.com");
    set_request_id("invite");
    auto id = invite_one("New@example.org", "manager", mel.token);
    check(event_of("invite", "invite.create", token), mel.user, session_of(mel.token), id,
          R"({"role":"manager","email":"New@example.org"})");
    set_request_id("resend");
    BOOST_REQUIRE(post("/team/invites/" + id + "/resend", "", token).status == 202u);
    check(event_of("resend", "invite.resend", token), user, session, id);
    set_request_id("cancel");
    BOOST_REQUIRE(client.del(base + "/team/invites/" + id, token).status == 204u);
    check(event_of("cancel", "invite.cancel", token), user, session, id);

    auto another = invite_one("eve@example.net");
    auto eve = sign_up(client, "eve@example.net");
    set_request_id("accept");
    BOOST_REQUIRE(accept(emailed_token("eve@example.net"), eve.token).status == 200u);
    // One event for joining, one for the session that switched to the workspace.
    auto joined = trail("?action=team.join", token), switched = trail("?action=session.switch", token);
    BOOST_TEST(json_at(joined, "/total") == "1");
    BOOST_TEST(json_at(switched, "/total") == "1");
    support::response event;
    event.body = json_at(joined, "/items/0");
    check(event, eve.user, session_of(eve.token), eve.user, R"({"invite":")" + another + R"("})");
    BOOST_TEST(event.text("/request_id") == "accept");
    BOOST_TEST(switched.text("/items/0/request_id") == "accept");
}

BOOST_FIXTURE_TEST_CASE(refused_rights_are_counted, audit_fixture)
{
    set_request_id("denied");
    auto key = client.post(base + "/api-keys", R"({"name":"k","scopes":["team:read"]})", bob.token);
    for (int i = 0; i < 3; ++i)
        BOOST_REQUIRE(client.patch(base + "/workspace", R"({"name":"Bobs"})", bob.token).status == 403u);
    BOOST_REQUIRE(client.get(base + "/auth?permission=api_keys:admin", key.text("/secret")).status == 403u);
    BOOST_REQUIRE(client.get(base + "/me/notifications", key.text("/secret")).status == 403u);
    support::response page;
    bool are_written = support::eventually([&] {
        page = trail("?action=access.denied&actor=" + bob.user, token);
        return counts_in(page) == "2 3";
    });
    BOOST_TEST(are_written, page.body);
    auto of_session = trail("?action=access.denied&credential=" + session_of(bob.token), token);
    support::response event;
    event.body = json_at(of_session, "/items/0");
    check(event, bob.user, session_of(bob.token), "", R"({"count":3,"required":"settings:manage"})");
    BOOST_TEST(event.text("/request_id") == "denied");
}

BOOST_FIXTURE_TEST_CASE(wrong_passwords_are_counted_for_known_accounts_alone, audit_fixture)
{
    set_request_id("guess");
    for (auto email : {"bob@example.com", "BOB@example.com", "unknown@example.com", "mel@example.net"})
        BOOST_REQUIRE(post("/login", credentials(email, "not his own")).status == 401u);
    auto body =
        support::object({{"current_password", "not her own"}, {"new_password", "another battery staple"}});
    BOOST_REQUIRE(post("/password/change", body, mel.token).status == 403u);
    support::response page;
    bool are_written = support::eventually([&] {
        page = trail("?action=login.failed", token);
        return counts_in(page) == "1 2";
    });
    BOOST_TEST(are_written, page.body);
    support::response of_bob, of_mel;
    of_bob.body = json_at(trail("?action=login.failed&target=" + bob.user, token), "/items/0");
    of_mel.body = json_at(trail("?action=login.failed&target=" + mel.user, token), "/items/0");
    check(of_mel, mel.user, session_of(mel.token), mel.user, R"({"count":1})");
    BOOST_TEST(json_at(of_bob, "/actor") == R"({"user_id":null,"credential":null})");
    BOOST_TEST(of_bob.text("/ip") == "127.0.0.1");
    BOOST_TEST(of_bob.text("/request_id") == "guess");
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE action = 'login.failed'") == "2");
}

BOOST_FIXTURE_TEST_CASE(a_batch_records_each_created_invite_and_no_other, audit_fixture)
{
    verify_address("mel@example.com");
    set_request_id("batch");
    auto made = invite(mel.token, {{"a@example.org", "member"},
                                   {"A@example.org", "member"},
                                   {"bob@example.com", "member"},
                                   {"b@example.org", "manager"}});
    BOOST_REQUIRE(join(item_texts(made, "result")) == "created already_invited already_member created");
    auto events = trail("?action=invite.create", token);
    BOOST_TEST(join(item_texts(events, "target")) ==
               made.text("/items/3/invite_id") + " " + made.text("/items/0/invite_id"));
    BOOST_TEST(join(item_texts(events, "details/email")) == "b@example.org a@example.org");
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE request_id = 'batch'") == "2");
}

BOOST_FIXTURE_TEST_CASE(accepting_as_a_new_account_records_signup_join_and_session, audit_fixture)
{
    auto id = invite_one("new@example.org");
    set_request_id("welcome");
    auto came = accept_with(emailed_token("new@example.org"), "long enough");
    auto who = came.text("/user/id");
    BOOST_TEST(
        db.sql("SELECT string_agg(action, ' ' ORDER BY id) FROM audit WHERE request_id = 'welcome' AND "
               "workspace_id = '" +
               workspace + "' AND actor_id = '" + who + "'") == "user.signup team.join session.open");
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE request_id = 'welcome'") == "3");
    BOOST_TEST(json_at(trail("?action=team.join", token), "/items/0/details") ==
               R"({"invite":")" + id + R"("})");
}

BOOST_FIXTURE_TEST_CASE(decisions_on_join_requests_are_recorded, audit_fixture)
{
    auto zoe = sign_up_verified("zoe@example.com"), yan = sign_up_verified("yan@example.com");
    set_request_id("approve");
    BOOST_REQUIRE(approve(zoe.user).status == 200u);
    check(event_of("approve", "request.approve", token), user, session, zoe.user);
    set_request_id("reject");
    BOOST_REQUIRE(reject(yan.user).status == 204u);
    check(event_of("reject", "request.reject", token), user, session, yan.user);

    set_join_policy("open");
    auto uma = sign_up_pending("uma@example.com");
    set_request_id("join");
    verify("uma@example.com");
    auto joined = trail("?action=team.join", token);
    BOOST_TEST(json_at(joined, "/total") == "1");
    support::response event;
    event.body = json_at(joined, "/items/0");
    check(event, uma.user, "", uma.user); // an emailed link is no credential
    BOOST_TEST(event.text("/request_id") == "join");
}

BOOST_FIXTURE_TEST_CASE(rejected_and_ineffective_calls_are_not_recorded, audit_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    verify_address("eve@example.net");
    auto zoe = sign_up_pending("zoe@example.com");
    auto id = invite_one("new@example.org", "admin"),
         eves = invite_one("new@example.org", "member", eve.token);
    auto invitation = invitation_token("mel@example.net"), cancelled = invite_one("c@example.org");
    verify_address("mel@example.net");
    sign_up(client, "mel@example.net");
    verify_address("mel@example.net");
    BOOST_REQUIRE(client.del(base + "/team/invites/" + cancelled, token).status == 204u);
    auto unknown_id = std::string("01890a5d-ac96-774b-bcce-b302099a8057");
    auto before = event_count();
    auto role = [&](const std::string& member, const std::string& body, const std::string& with) {
        return client.patch(base + "/team/" + member, body, with).status;
    };
    auto transfer = [&](const std::string& to, const std::string& password, const std::string& with) {
        return post("/team/transfer-ownership", support::object({{"user_id", to}, {"password", password}}),
                    with)
            .status;
    };
    const std::string to_member = R"({"role":"member"})";
    BOOST_TEST(role(bob.user, to_member, token) == 200u); // his role already
    BOOST_TEST(role(user, to_member, mel.token) == 409u);
    BOOST_TEST(role(mel.user, to_member, bob.token) == 403u);
    BOOST_TEST(role(eve.user, to_member, token) == 404u);
    BOOST_TEST(role(unknown_id, to_member, token) == 404u);
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
    for (auto& each : {eves, cancelled, unknown_id}) {
        BOOST_TEST(post("/team/invites/" + each + "/resend", "", token).status == 404u);
        BOOST_TEST(client.del(base + "/team/invites/" + each, token).status == 404u);
    }
    BOOST_TEST(post("/team/invites/" + id + "/resend", "", bob.token).status == 403u);
    BOOST_TEST(approve(zoe.user).status == 409u);
    BOOST_TEST(approve(unknown_id).status == 404u);
    BOOST_TEST(reject(unknown_id).status == 404u);
    BOOST_TEST(reject(eve.user).status == 404u);
    BOOST_TEST(preview(invitation).status == 200u);
    BOOST_TEST(accept(invitation).status == 401u);
    BOOST_TEST(accept(invitation, bob.token).status == 403u);
    BOOST_TEST(accept_with(invitation, "not their own").status == 401u);
    BOOST_TEST(trail("", token).status == 200u);
    BOOST_TEST(event_count() == before);
}

BOOST_AUTO_TEST_SUITE_END()
