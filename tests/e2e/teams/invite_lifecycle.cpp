// An invite from its mail to its end: looked at, sent again, cancelled, expired.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"
#include "tests/support/eventually.hpp"

#include <string>

using namespace flows;

namespace {

struct living : inviting {
    using inviting::inviting;

    support::response resend(const std::string& id, const std::string& with)
    {
        return post("/team/invites/" + id + "/resend", "", with);
    }

    support::response resend(const std::string& id) { return resend(id, token); }

    support::response cancel(const std::string& id, const std::string& with)
    {
        return client.del(base + "/team/invites/" + id, with);
    }

    support::response cancel(const std::string& id) { return cancel(id, token); }

    void let_expire(const std::string& id)
    {
        db.sql("UPDATE invites SET expires_at = now() - interval '1 second' WHERE id = '" + id + "'");
    }
};

const std::string replaced = "400 invalid_token replaced", cancelled = "400 invalid_token cancelled",
                  expired = "400 invalid_token expired", accepted = "400 invalid_token accepted";

} // namespace

BOOST_AUTO_TEST_SUITE(invite_lifecycle)

BOOST_FIXTURE_TEST_CASE(a_look_at_it_tells_what_it_is_and_costs_it_nothing, living)
{
    db.sql("UPDATE users SET name = 'Ada L.' WHERE id = '" + user + "'");
    auto invitation = invitation_of("New@example.org", "manager");
    for (int i = 0; i < 3; ++i) {
        auto shown = preview(invitation);
        BOOST_TEST(shown.status == 200u);
        BOOST_TEST(members(shown) == "email role workspace_name invited_by expires_at has_account");
        BOOST_TEST(shown.text("/email") == "New@example.org");
        BOOST_TEST(shown.text("/role") == "manager");
        BOOST_TEST(shown.text("/workspace_name") == "ada's workspace");
        BOOST_TEST(shown.text("/invited_by") == "Ada L.");
        BOOST_TEST(is_instant(shown.text("/expires_at")));
        BOOST_TEST(at(shown, "/has_account") == "false");
    }
    sign_up(client, "new@EXAMPLE.org");
    BOOST_TEST(at(preview(invitation), "/has_account") == "false"); // whose that is nobody knows yet
    verify_address("new@example.org");
    BOOST_TEST(at(preview(invitation), "/has_account") == "true");
    BOOST_REQUIRE(invite(mel.token, {{"mels@example.org", "member"}}).status == 201u);
    BOOST_TEST(preview(token_to("mels@example.org")).text("/invited_by") == "mel@example.com");
    auto key = mint(R"({"name":"w","owner":"workspace","role":"manager"})");
    BOOST_REQUIRE(invite(key, {{"keys@example.org", "member"}}).status == 201u);
    BOOST_TEST(at(preview(token_to("keys@example.org")), "/invited_by") == "null");
}

BOOST_FIXTURE_TEST_CASE(what_is_no_invitation_is_told_nothing_more, living)
{
    auto other = support::token_in(letter_to("ada@example.com", "Confirm your e-mail address"));
    for (auto& garbage : {std::string("x"), std::string(43, 'A'), std::string(256, 'A'), other, token}) {
        if (garbage.size() > 256)
            continue;
        for (auto& answer : {preview(garbage), accept(garbage), accept(garbage, token),
                             accept_with(garbage, "long enough")}) {
            BOOST_TEST(verdict(answer) == "400 invalid_token", garbage);
            BOOST_TEST(members(answer) == "detail code");
        }
    }
    for (std::string path : {"/invites/preview", "/invites/accept"}) {
        BOOST_TEST(faults(post(path, "{}")) == "body.token missing");
        BOOST_TEST(faults(post(path, R"({"token":""})")) == "body.token string_too_short");
        BOOST_TEST(faults(post(path, support::object({{"token", std::string(257, 'A')}}))) ==
                   "body.token string_too_long");
    }
}

BOOST_FIXTURE_TEST_CASE(sent_again_it_is_another_mail_with_another_link_and_the_older_are_void, living)
{
    auto id = invite_one("new@example.org", "manager");
    auto first = token_to("new@example.org");
    auto before = client.get(base + "/team/invites", token);
    auto again = resend(id);
    BOOST_TEST(again.status == 202u);
    BOOST_TEST(again.body.empty());
    auto mail = letter_to("new@example.org", reminder_subject);
    BOOST_TEST(mail.subject == "Reminder: you are invited to “ada's workspace”");
    auto second = support::token_in(mail);
    BOOST_TEST(second != first);
    BOOST_TEST(end_of(preview(first)) == replaced);
    BOOST_TEST(end_of(accept_with(first, "long enough")) == replaced);
    BOOST_TEST(preview(second).text("/role") == "manager");

    BOOST_TEST(resend(id, mel.token).status == 202u);
    auto third = token_to("new@example.org", reminder_subject);
    for (auto& older : {first, second})
        BOOST_TEST(end_of(preview(older)) == replaced);
    auto after = client.get(base + "/team/invites", token);
    BOOST_TEST(after.text("/items/0/id") == id);
    BOOST_TEST(after.text("/items/0/created_at") == before.text("/items/0/created_at"));
    BOOST_TEST(after.text("/items/0/sent_at") > before.text("/items/0/sent_at"));
    BOOST_TEST(after.text("/items/0/expires_at") > before.text("/items/0/expires_at"));
    BOOST_TEST(before.text("/items/0/invited_by") == user);
    BOOST_TEST(after.text("/items/0/invited_by") == mel.user); // who sent it last
    BOOST_TEST(accept_with(third, "long enough").status == 200u);
    for (auto& older : {first, second, third})
        BOOST_TEST(end_of(preview(older)) == accepted);
    BOOST_TEST(verdict(resend(id)) == "404 not_found");
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_one_is_over, living)
{
    auto id = invite_one("new@example.org");
    auto invitation = token_to("new@example.org");
    BOOST_REQUIRE(resend(id).status == 202u);
    auto newer = token_to("new@example.org", reminder_subject);
    BOOST_TEST(cancel(id).status == 204u);
    BOOST_TEST(verdict(cancel(id)) == "404 not_found");
    BOOST_TEST(verdict(resend(id)) == "404 not_found");
    for (auto& each : {invitation, newer}) {
        BOOST_TEST(end_of(preview(each)) == cancelled);
        BOOST_TEST(end_of(accept_with(each, "long enough")) == cancelled);
    }
    BOOST_TEST(at(client.get(base + "/team/invites", token), "/total") == "0");
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email = 'new@example.org'") == "0");

    auto another = invitation_of("new@example.org");
    BOOST_TEST(preview(another).status == 200u);
    BOOST_TEST(end_of(preview(newer)) == cancelled);
    BOOST_TEST(accept_with(another, "long enough").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(an_expired_one_says_so_and_is_revived_by_another_mail, living)
{
    auto id = invite_one("new@example.org");
    auto first = token_to("new@example.org");
    let_expire(id);
    BOOST_TEST(end_of(preview(first)) == expired);
    BOOST_TEST(end_of(accept_with(first, "long enough")) == expired);
    BOOST_TEST(resend(id).status == 202u);
    auto second = token_to("new@example.org", reminder_subject);
    BOOST_TEST(end_of(preview(first)) == replaced);
    BOOST_TEST(preview(second).status == 200u);
    BOOST_TEST(client.get(base + "/team/invites", token).text("/items/0/status") == "pending");
    let_expire(id);
    BOOST_TEST(end_of(preview(first)) ==
               replaced); // that there is a newer is worth more than that it expired
    BOOST_TEST(end_of(preview(second)) == expired);
    BOOST_TEST(cancel(id).status == 204u);
    BOOST_TEST(end_of(preview(second)) == cancelled);
}

BOOST_FIXTURE_TEST_CASE(who_let_one_expire_can_be_invited_anew, living)
{
    auto old = invite_one("new@example.org", "admin");
    auto first = token_to("new@example.org");
    let_expire(old);
    auto made = invite(token, {{"NEW@example.org", "member"}});
    BOOST_TEST(made.text("/items/0/result") == "created");
    BOOST_TEST(made.text("/items/0/invite_id") != old);
    BOOST_TEST(end_of(accept_with(first, "long enough")) ==
               cancelled); // as an admin they are not wanted any more
    BOOST_TEST(join(texts(client.get(base + "/team/invites", token), "role")) == "member");
    BOOST_TEST(verdict(resend(old)) == "404 not_found");
    BOOST_TEST(accept_with(token_to("NEW@example.org"), "long enough").text("/membership/role") == "member");
}

BOOST_AUTO_TEST_CASE(how_long_it_lives_is_a_setting)
{
    living world({{"LATCHKEY_INVITE_TTL", "2"}});
    auto id = world.invite_one("new@example.org");
    auto invitation = world.token_to("new@example.org");
    BOOST_TEST(world.preview(invitation).text("/expires_at") < in(std::chrono::seconds(3)));
    BOOST_TEST(support::eventually(std::chrono::seconds(10),
                                   [&] { return end_of(world.preview(invitation)) == expired; }));
    BOOST_TEST(end_of(world.accept_with(invitation, "long enough")) == expired);
    BOOST_TEST(world.resend(id).status == 202u);
    BOOST_TEST(world.accept_with(world.token_to("new@example.org", reminder_subject), "long enough").status ==
               200u);
}

BOOST_FIXTURE_TEST_CASE(an_admins_invite_is_not_a_managers_to_touch, living)
{
    auto admins = invite_one("a@example.org", "admin"), managers = invite_one("g@example.org", "manager");
    auto invitation = token_to("a@example.org");
    BOOST_TEST(resend(admins, mel.token).text("/required") == "team:roles");
    BOOST_TEST(cancel(admins, mel.token).text("/required") == "team:roles");
    BOOST_TEST(preview(invitation).status == 200u);
    BOOST_TEST(resend(managers, mel.token).status == 202u);
    BOOST_TEST(cancel(managers, mel.token).status == 204u);
    auto narrow = mint(R"({"name":"k","scopes":["team:invite"]})");
    BOOST_TEST(cancel(admins, narrow).text("/required") == "team:roles");
    BOOST_TEST(cancel(admins).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(an_invite_elsewhere_is_unknown_here, living)
{
    auto eve = sign_up(client, "eve@example.net");
    auto eves = invite_one("new@example.org", "member", eve.token);
    auto invitation = token_to("new@example.org");
    for (auto& id :
         {eves, workspace, std::string("01890a5d-ac96-774b-bcce-b302099a8057"), std::string("x")}) {
        BOOST_TEST(verdict(resend(id)) == "404 not_found", id);
        BOOST_TEST(verdict(cancel(id)) == "404 not_found", id);
    }
    BOOST_TEST(preview(invitation).status == 200u);
    BOOST_TEST(cancel(eves, eve.token).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(with_the_inviters_account_or_the_workspace_it_ends, living)
{
    auto leave = [&](const person& who) {
        return client
            .send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})", who.token)
            .status;
    };
    BOOST_REQUIRE(invite(mel.token, {{"m@example.org", "member"}}).status == 201u);
    auto mels = token_to("m@example.org");
    auto eve = sign_up(client, "eve@example.net");
    invite_one("e@example.org", "member", eve.token);
    auto eves = token_to("e@example.org");
    BOOST_REQUIRE(leave(mel) == 204u);
    BOOST_REQUIRE(leave(eve) == 204u);
    BOOST_TEST(end_of(accept_with(mels, "long enough")) == cancelled);
    BOOST_TEST(verdict(accept_with(eves, "long enough")) == "400 invalid_token");
    BOOST_TEST(db.sql("SELECT count(*) FROM invites WHERE email = 'e@example.org'") == "0");
}

BOOST_FIXTURE_TEST_CASE(it_rests_on_whoever_sent_it_last_and_ends_with_the_key_they_used, living)
{
    auto key = mint(R"({"name":"w","owner":"workspace","role":"manager"})");
    auto id = invite_one("first@example.org", "member", key);
    invite_one("second@example.org", "member", key);
    auto by_key = token_to("first@example.org"), spared = token_to("second@example.org");
    BOOST_REQUIRE(resend(id).status == 202u); // by Ada, in her session
    auto by_ada = token_to("first@example.org", reminder_subject);
    BOOST_TEST(preview(spared).status == 200u);
    BOOST_REQUIRE(client.del(base + "/api-keys/" + key.substr(4, 8), token).status == 204u);
    BOOST_TEST(end_of(preview(spared)) == cancelled);
    BOOST_TEST(end_of(accept_with(spared, "long enough")) == cancelled);
    BOOST_TEST(preview(by_ada).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(it_lives_no_longer_than_the_key_that_it_is_sent_with, living)
{
    auto key = mint(R"({"name":"w","owner":"workspace","role":"manager"})");
    auto expiry_of = [&](const std::string& id) {
        return db.sql("SELECT expires_at < now() + interval '61 minutes' FROM invites WHERE id = '" + id +
                      "'");
    };
    auto id = invite_one("first@example.org", "member", key);
    BOOST_TEST(expiry_of(id) == "f");
    auto rotated =
        client.post(base + "/api-keys/" + key.substr(4, 8) + "/rotate", R"({"grace_seconds":3600})", token);
    BOOST_REQUIRE_MESSAGE(rotated.status == 201u, rotated.body);
    BOOST_TEST(expiry_of(id) == "t");
    BOOST_TEST(expiry_of(invite_one("second@example.org", "member", key)) == "t");
    BOOST_TEST(expiry_of(invite_one("third@example.org", "member", rotated.text("/secret"))) == "f");
    BOOST_REQUIRE(resend(id).status == 202u);
    BOOST_TEST(expiry_of(id) == "f");
}

BOOST_AUTO_TEST_CASE(one_address_gets_so_many_of_them_a_day)
{
    living world({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    for (int i = 0; i < 20; ++i) {
        auto id = world.invite_one("stranger@example.org");
        world.token_to("stranger@example.org");
        BOOST_REQUIRE(world.cancel(id).status == 204u);
    }
    auto id = world.invite_one("Stranger@example.org"); // the invite stands, as its row says
    bool out = support::eventually(std::chrono::seconds(20),
                                   [&] { return world.db.sql("SELECT count(*) FROM outbox") == "0"; });
    BOOST_REQUIRE(out);
    BOOST_TEST(!world.mails.wait_for("Stranger@example.org", invite_subject, std::chrono::milliseconds(0)));
    BOOST_TEST(verdict(world.resend(id)) == "429 rate_limited");
    BOOST_TEST(world.resend(world.invite_one("another@example.org")).status == 202u);
}

BOOST_AUTO_TEST_CASE(one_invite_is_sent_so_often_in_an_hour)
{
    living world({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    auto id = world.invite_one("new@example.org"), other = world.invite_one("other@example.org");
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(world.resend(id).status == 202u);
    auto over = world.resend(id);
    BOOST_TEST(verdict(over) == "429 rate_limited");
    BOOST_TEST(over.header("RateLimit-Policy") == R"("invite-resend";q=5;w=3600)");
    BOOST_TEST(verdict(world.resend(id, world.mel.token)) == "429 rate_limited");
    BOOST_TEST(world.resend(other).status == 202u);
}

BOOST_AUTO_TEST_SUITE_END()
