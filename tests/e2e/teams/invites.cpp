// POST and GET /team/invites: batches, permissions by role, and the list.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"
#include "tests/e2e/support/outbox.hpp"

#include <string>
#include <utility>

using namespace e2e;

namespace {

/// The result of each line: "created already_member".
std::string results(const support::response& answer)
{
    return join(item_texts(answer, "result"));
}

struct invites_fixture : invite_fixture {
    using invite_fixture::invite_fixture;

    support::response list(const std::string& query = "")
    {
        return client.get(base + "/team/invites" + query, token);
    }

    bool no_invite_to(const std::string& email)
    {
        await_delivery(db);
        return !mailbox.wait_for(email, {}, std::chrono::milliseconds(0));
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(invites)

BOOST_FIXTURE_TEST_CASE(each_line_of_a_batch_has_a_result_and_each_invitee_gets_a_mail, invites_fixture)
{
    auto made = invite(
        token, {{"New@Example.org", "member"}, {"g@example.org", "manager"}, {"a@example.org", "admin"}});
    BOOST_TEST(made.status == 201u);
    BOOST_TEST(member_names(made) == "items");
    BOOST_TEST(member_names(made, "/items/0") == "email role result invite_id");
    BOOST_TEST(join(item_texts(made, "email")) == "New@Example.org g@example.org a@example.org");
    BOOST_TEST(join(item_texts(made, "role")) == "member manager admin");
    BOOST_TEST(results(made) == "created created created");
    for (auto& id : item_texts(made, "invite_id"))
        BOOST_TEST(is_uuid_v7(id));
    for (std::string email : {"New@Example.org", "g@example.org", "a@example.org"}) {
        auto mail = email_to(email);
        BOOST_TEST(mail.subject == "You are invited to “ada's workspace”");
        BOOST_TEST(mail.text.find("ada@example.com") != std::string::npos); // the inviter
        BOOST_TEST(support::link_in(mail).find("/invite#token=") != std::string::npos);
    }
    // Neither an account nor a membership exists before acceptance.
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email_normalized LIKE '%example.org'") == "0");
    BOOST_TEST(db.sql("SELECT count(*) FROM memberships WHERE workspace_id = '" + workspace + "'") == "3");
}

BOOST_FIXTURE_TEST_CASE(an_invited_account_is_no_member_before_it_accepts, invites_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    verify_address("eve@example.net");
    invite_one("eve@example.net", "admin");
    BOOST_TEST(role_of(eve.user) == "");
    BOOST_TEST(json_at(client.get(base + "/workspaces", eve.token), "/total") == "1");
    BOOST_TEST(summary(post("/workspaces/" + workspace + "/switch", "", eve.token)) == "404 not_found");
    preview(emailed_token("eve@example.net"));
    BOOST_TEST(role_of(eve.user) == "");
}

BOOST_FIXTURE_TEST_CASE(members_and_pending_invitees_are_recognized_in_any_case, invites_fixture)
{
    auto mixed = invite(token, {{"MEL@example.com", "member"},
                                {"new@example.org", "member"},
                                {"NEW@example.org", "admin"},
                                {"ada@EXAMPLE.com", "manager"},
                                {"new@example.org", "member"},
                                {"other@example.org", "member"}});
    BOOST_TEST(mixed.status == 201u);
    BOOST_TEST(results(mixed) ==
               "already_member created already_invited already_member already_invited created");
    BOOST_TEST(member_names(mixed, "/items/0") == "email role result");
    BOOST_TEST(member_names(mixed, "/items/2") == "email role result");
    BOOST_TEST(join(item_texts(list(), "email")) == "new@example.org other@example.org");
    BOOST_TEST(join(item_texts(list(), "role")) == "member member"); // the first line of an address counts
    email_to("new@example.org");
    email_to("other@example.org");
    for (std::string email : {"new@example.org", "NEW@example.org", "MEL@example.com", "ada@EXAMPLE.com"})
        BOOST_TEST(!mailbox.wait_for(email, invite_subject, std::chrono::milliseconds(0)), email);

    auto none = invite(token, {{"New@example.org", "member"}, {"bob@example.com", "member"}});
    BOOST_TEST(none.status == 409u);
    BOOST_TEST(member_names(none) == "detail code items");
    BOOST_TEST(none.code() == "conflict");
    BOOST_TEST(results(none) == "already_invited already_member");
    auto all_members = invite(token, {{"bob@example.com", "admin"}, {"mel@example.com", "admin"}});
    BOOST_TEST(summary(all_members) == "409 already_member");
    BOOST_TEST(results(all_members) == "already_member already_member");
    BOOST_TEST(role_of(bob.user) == "member"); // an invite does not change a role
}

BOOST_FIXTURE_TEST_CASE(an_invite_to_another_workspace_does_not_count, invites_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    verify_address("eve@example.net");
    BOOST_TEST(invite(eve.token, {{"new@example.org", "member"}, {"ada@example.com", "member"}}).status ==
               201u);
    BOOST_TEST(results(invite(token, {{"new@example.org", "member"}})) == "created");
    BOOST_TEST(json_at(list(), "/total") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_manager_cannot_invite_admins, invites_fixture)
{
    auto mixed = invite(
        mel.token, {{"a@example.org", "admin"}, {"g@example.org", "manager"}, {"m@example.org", "member"}});
    BOOST_TEST(mixed.status == 201u);
    BOOST_TEST(results(mixed) == "forbidden_role created created");
    BOOST_TEST(member_names(mixed, "/items/0") == "email role result");
    auto none = invite(mel.token, {{"a@example.org", "admin"}, {"b@example.org", "admin"}});
    BOOST_TEST(none.status == 403u);
    BOOST_TEST(member_names(none) == "detail code required items");
    BOOST_TEST(none.code() == "forbidden_scope");
    BOOST_TEST(none.text("/required") == "team:roles");
    BOOST_TEST(results(none) == "forbidden_role forbidden_role");
    auto neither = invite(mel.token, {{"a@example.org", "admin"}, {"m@example.org", "member"}});
    BOOST_TEST(summary(neither) == "409 conflict");
    BOOST_TEST(results(neither) == "forbidden_role already_invited");
    BOOST_TEST(join(item_texts(list(), "email")) == "g@example.org m@example.org");

    // An admin's key without team:roles cannot either.
    auto narrow = mint(R"({"name":"k","scopes":["team:invite"]})");
    BOOST_TEST(results(invite(narrow, {{"a@example.org", "admin"}, {"z@example.org", "member"}})) ==
               "forbidden_role created");
    auto managing = mint(R"({"name":"w","owner":"workspace","role":"manager"})");
    BOOST_TEST(invite(managing, {{"a@example.org", "admin"}}).status == 403u);
    auto wide = mint(R"({"name":"k","scopes":["team:invite","team:roles"]})");
    BOOST_TEST(results(invite(wide, {{"a@example.org", "admin"}})) == "created");
}

BOOST_FIXTURE_TEST_CASE(members_can_neither_invite_nor_list_invites, invites_fixture)
{
    auto id = invite_one("new@example.org");
    auto narrow = mint(R"({"name":"k","scopes":["team:read"]})");
    for (auto& credential : {bob.token, narrow}) {
        BOOST_TEST(invite(credential, {{"x@example.org", "member"}}).text("/required") == "team:invite");
        BOOST_TEST(client.get(base + "/team/invites", credential).text("/required") == "team:invite");
        BOOST_TEST(post("/team/invites/" + id + "/resend", "", credential).text("/required") ==
                   "team:invite");
        BOOST_TEST(client.del(base + "/team/invites/" + id, credential).text("/required") == "team:invite");
    }
    BOOST_TEST(summary(invite("", {{"x@example.org", "member"}})) == "401 unauthorized");
    BOOST_TEST(join(item_texts(client.get(base + "/team/invites", mel.token), "id")) == id);
}

BOOST_FIXTURE_TEST_CASE(a_batch_has_one_to_a_hundred_lines_and_each_is_validated, invites_fixture)
{
    auto batch = [&](int lines) {
        invite_lines all;
        for (int i = 0; i < lines; ++i)
            all.emplace_back("p" + std::to_string(i) + "@example.org", "member");
        return invite(token, all);
    };
    BOOST_TEST(validation_errors(batch(0)) == "body.invites too_short");
    BOOST_TEST(validation_errors(batch(101)) == "body.invites too_long");
    BOOST_TEST(validation_errors(post("/team/invites", "{}", token)) == "body.invites missing");
    BOOST_TEST(validation_errors(post(
                   "/team/invites",
                   R"({"invites":[{"email":"ok@example.org","role":"member"},{"email":"x","role":"owner"},)"
                   R"({"role":"member","name":"x"},{"email":"ok2@example.org"},7]})",
                   token)) ==
               "body.invites.1.email value_error, body.invites.1.role enum, body.invites.2.email missing, "
               "body.invites.2.name extra_forbidden, body.invites.3.role missing, body.invites.4 dict_type");
    BOOST_TEST(json_at(list(), "/total") == "0");
    auto full = batch(100);
    BOOST_TEST(full.status == 201u);
    BOOST_TEST(item_count(full) == 100u);
    BOOST_TEST(json_at(list(), "/total") == "100");
}

BOOST_FIXTURE_TEST_CASE(the_list_shows_open_invites_page_by_page, invites_fixture)
{
    BOOST_TEST(json_at(list(), "") == R"({"items":[],"next_cursor":null,"total":0})");
    std::vector<std::string> ids;
    for (std::string name : {"a", "b", "c", "d"})
        ids.push_back(invite_one(name + "@example.org", name == "d" ? "manager" : "member"));
    auto page = list();
    BOOST_TEST(member_names(page, "/items/3") ==
               "id email role status invited_by created_at sent_at expires_at");
    BOOST_TEST(join(item_texts(page, "id")) == join(ids)); // oldest first
    BOOST_TEST(page.text("/items/3/role") == "manager");
    BOOST_TEST(page.text("/items/3/status") == "pending");
    BOOST_TEST(page.text("/items/3/invited_by") == user);
    BOOST_TEST(is_recent(page.text("/items/3/created_at")));
    BOOST_TEST(page.text("/items/3/sent_at") == page.text("/items/3/created_at"));
    BOOST_TEST(page.text("/items/3/expires_at") > from_now(std::chrono::hours(7 * 24 - 1)));
    BOOST_TEST(page.text("/items/3/expires_at") < from_now(std::chrono::hours(7 * 24)));

    db.sql("UPDATE invites SET expires_at = now() - interval '1 second' WHERE id = '" + ids[1] + "'");
    BOOST_REQUIRE(client.del(base + "/team/invites/" + ids[0], token).status == 204u);
    auto first = list("?limit=2");
    BOOST_TEST(join(item_texts(first, "status")) == "expired pending"); // still listed, to be resent
    BOOST_TEST(json_at(first, "/total") == "3");
    auto cursor = "?limit=2&cursor=" + first.text("/next_cursor");
    BOOST_TEST(join(item_texts(list(cursor), "id")) == ids[3]);
    BOOST_TEST(summary(client.get(base + "/team/invites" + cursor, mel.token)) == "400 invalid_cursor");
    auto keys =
        invite(mint(R"({"name":"w","owner":"workspace","role":"admin"})"), {{"k@example.org", "member"}});
    BOOST_TEST(json_at(list("?limit=10"), "/items/3/invited_by") == "null");
}

BOOST_AUTO_TEST_CASE(invites_of_a_workspace_are_limited_per_hour)
{
    invites_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    invite_lines hundred;
    for (int i = 0; i < 100; ++i)
        hundred.emplace_back("p" + std::to_string(i) + "@example.org", "member");
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(fixture.invite(fixture.token, hundred).status == (i == 0 ? 201u : 409u));
    for (auto& credential : {fixture.token, fixture.mel.token}) {
        auto over = fixture.invite(credential, {{"more@example.org", "member"}});
        BOOST_TEST(summary(over) == "429 rate_limited");
        BOOST_TEST(over.header("RateLimit-Policy") == R"("invites";q=1000;w=3600)");
    }
    BOOST_TEST(json_at(fixture.list(), "/total") == "100");
    auto eve = sign_up(fixture.client, "eve@example.net");
    fixture.verify_address("eve@example.net");
    BOOST_TEST(fixture.invite(eve.token, {{"more@example.org", "member"}}).status == 201u);
}

BOOST_FIXTURE_TEST_CASE(who_has_not_verified_an_address_cannot_invite, invites_fixture)
{
    auto id = invite_one("first@example.org");
    email_to("first@example.org");
    for (auto& [email, credential] :
         {std::pair("ada@example.com", token), std::pair("mel@example.com", mel.token)}) {
        auto own_key = client.post(base + "/api-keys", R"({"name":"k"})", credential).text("/secret");
        unverify_address(db, email);
        for (auto& each : {credential, own_key}) {
            on_all_cores(server, get_request("/me", each)); // cached
            BOOST_TEST(summary(invite(each, {{"new@example.org", "member"}})) == "403 email_not_verified");
            BOOST_TEST(summary(post("/team/invites/" + id + "/resend", "", each)) ==
                       "403 email_not_verified");
        }
        BOOST_TEST(list().status == 200u);
    }
    // A key of the workspace invites on the word of the user who made it.
    auto key = client.post(base + "/api-keys", R"({"name":"w","owner":"workspace","role":"admin"})", token)
                   .text("/secret");
    BOOST_TEST(summary(invite(key, {{"new@example.org", "member"}})) == "403 email_not_verified");
    BOOST_TEST(no_invite_to("new@example.org"));
    verify_address("ada@example.com");
    BOOST_TEST(invite(key, {{"new@example.org", "member"}}).status == 201u);
    auto fresh = log_in(client, "ada@example.com").token;
    BOOST_TEST(invite(fresh, {{"other@example.org", "member"}}).status == 201u);
    email_to("new@example.org");
    email_to("other@example.org");
}

BOOST_AUTO_TEST_SUITE_END()
