// The lifecycle of an invite: preview, resend, cancel, expiry, and limits.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"
#include "tests/e2e/support/outbox.hpp"
#include "tests/support/eventually.hpp"

#include <string>

using namespace e2e;

BOOST_AUTO_TEST_SUITE(invite_lifecycle)

namespace {

struct lifecycle_fixture : invite_fixture {
    using invite_fixture::invite_fixture;

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

BOOST_FIXTURE_TEST_CASE(a_preview_describes_the_invite_and_does_not_consume_it, lifecycle_fixture)
{
    db.sql("UPDATE users SET name = 'Ada L.' WHERE id = '" + user + "'");
    auto invitation = invitation_token("New@example.org", "manager");
    for (int i = 0; i < 3; ++i) {
        auto shown = preview(invitation);
        BOOST_TEST(shown.status == 200u);
        BOOST_TEST(member_names(shown) == "email role workspace_name invited_by expires_at has_account");
        BOOST_TEST(shown.text("/email") == "New@example.org");
        BOOST_TEST(shown.text("/role") == "manager");
        BOOST_TEST(shown.text("/workspace_name") == "ada's workspace");
        BOOST_TEST(shown.text("/invited_by") == "Ada L.");
        BOOST_TEST(is_timestamp(shown.text("/expires_at")));
        BOOST_TEST(json_at(shown, "/has_account") == "false");
    }
    sign_up(client, "new@EXAMPLE.org");
    BOOST_TEST(json_at(preview(invitation), "/has_account") ==
               "false"); // unverified: the owner of the address is not known yet
    verify_address("new@example.org");
    BOOST_TEST(json_at(preview(invitation), "/has_account") == "true");
    BOOST_REQUIRE(invite(mel.token, {{"mels@example.org", "member"}}).status == 201u);
    BOOST_TEST(preview(emailed_token("mels@example.org")).text("/invited_by") == "mel@example.com");
    auto key = mint(R"({"name":"w","owner":"workspace","role":"manager"})");
    BOOST_REQUIRE(invite(key, {{"keys@example.org", "member"}}).status == 201u);
    BOOST_TEST(json_at(preview(emailed_token("keys@example.org")), "/invited_by") == "null");
}

BOOST_FIXTURE_TEST_CASE(an_unknown_token_gets_a_plain_error, lifecycle_fixture)
{
    auto other = support::token_in(email_to("ada@example.com", "Confirm your email address"));
    for (auto& garbage : {std::string("x"), std::string(43, 'A'), std::string(256, 'A'), other, token}) {
        if (garbage.size() > 256)
            continue;
        for (auto& answer : {preview(garbage), accept(garbage), accept(garbage, token),
                             accept_with(garbage, "long enough")}) {
            BOOST_TEST(summary(answer) == "400 invalid_token", garbage);
            BOOST_TEST(member_names(answer) == "detail code");
        }
    }
    for (std::string path : {"/invites/preview", "/invites/accept"})
        BOOST_TEST(validation_errors(post(path, "{}")) == "body.token missing");
}

BOOST_FIXTURE_TEST_CASE(resending_mails_a_new_link_and_voids_the_older_ones, lifecycle_fixture)
{
    auto id = invite_one("new@example.org", "manager");
    auto first = emailed_token("new@example.org");
    auto before = client.get(base + "/team/invites", token);
    auto again = resend(id);
    BOOST_TEST(again.status == 202u);
    BOOST_TEST(again.body.empty());
    auto mail = email_to("new@example.org", reminder_subject);
    BOOST_TEST(mail.subject == "Reminder: you are invited to “ada's workspace”");
    auto second = support::token_in(mail);
    BOOST_TEST(second != first);
    BOOST_TEST(invite_error(preview(first)) == replaced);
    BOOST_TEST(invite_error(accept_with(first, "long enough")) == replaced);
    BOOST_TEST(preview(second).text("/role") == "manager");

    BOOST_TEST(resend(id, mel.token).status == 202u);
    auto third = emailed_token("new@example.org", reminder_subject);
    for (auto& older : {first, second})
        BOOST_TEST(invite_error(preview(older)) == replaced);
    auto after = client.get(base + "/team/invites", token);
    BOOST_TEST(after.text("/items/0/id") == id);
    BOOST_TEST(after.text("/items/0/created_at") == before.text("/items/0/created_at"));
    BOOST_TEST(after.text("/items/0/sent_at") > before.text("/items/0/sent_at"));
    BOOST_TEST(after.text("/items/0/expires_at") > before.text("/items/0/expires_at"));
    BOOST_TEST(before.text("/items/0/invited_by") == user);
    BOOST_TEST(after.text("/items/0/invited_by") == mel.user); // the last sender
    BOOST_TEST(accept_with(third, "long enough").status == 200u);
    for (auto& older : {first, second, third})
        BOOST_TEST(invite_error(preview(older)) == accepted);
    BOOST_TEST(summary(resend(id)) == "404 not_found");
}

BOOST_FIXTURE_TEST_CASE(a_cancelled_invite_is_closed, lifecycle_fixture)
{
    auto id = invite_one("new@example.org");
    auto invitation = emailed_token("new@example.org");
    BOOST_REQUIRE(resend(id).status == 202u);
    auto newer = emailed_token("new@example.org", reminder_subject);
    BOOST_TEST(cancel(id).status == 204u);
    BOOST_TEST(summary(cancel(id)) == "404 not_found");
    BOOST_TEST(summary(resend(id)) == "404 not_found");
    for (auto& each : {invitation, newer}) {
        BOOST_TEST(invite_error(preview(each)) == cancelled);
        BOOST_TEST(invite_error(accept_with(each, "long enough")) == cancelled);
    }
    BOOST_TEST(json_at(client.get(base + "/team/invites", token), "/total") == "0");
    BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email = 'new@example.org'") == "0");

    auto another = invitation_token("new@example.org");
    BOOST_TEST(preview(another).status == 200u);
    BOOST_TEST(invite_error(preview(newer)) == cancelled);
    BOOST_TEST(accept_with(another, "long enough").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(an_expired_invite_is_reported_and_can_be_resent, lifecycle_fixture)
{
    auto id = invite_one("new@example.org");
    auto first = emailed_token("new@example.org");
    let_expire(id);
    BOOST_TEST(invite_error(preview(first)) == expired);
    BOOST_TEST(invite_error(accept_with(first, "long enough")) == expired);
    BOOST_TEST(resend(id).status == 202u);
    auto second = emailed_token("new@example.org", reminder_subject);
    BOOST_TEST(invite_error(preview(first)) == replaced);
    BOOST_TEST(preview(second).status == 200u);
    BOOST_TEST(client.get(base + "/team/invites", token).text("/items/0/status") == "pending");
    let_expire(id);
    BOOST_TEST(invite_error(preview(first)) == replaced); // reported in preference to the expiry
    BOOST_TEST(invite_error(preview(second)) == expired);
    BOOST_TEST(cancel(id).status == 204u);
    BOOST_TEST(invite_error(preview(second)) == cancelled);
}

BOOST_FIXTURE_TEST_CASE(an_expired_invite_can_be_replaced, lifecycle_fixture)
{
    auto old = invite_one("new@example.org", "admin");
    auto first = emailed_token("new@example.org");
    let_expire(old);
    auto made = invite(token, {{"NEW@example.org", "member"}});
    BOOST_TEST(made.text("/items/0/result") == "created");
    BOOST_TEST(made.text("/items/0/invite_id") != old);
    BOOST_TEST(invite_error(accept_with(first, "long enough")) ==
               cancelled); // the invite as an admin was superseded
    BOOST_TEST(join(item_texts(client.get(base + "/team/invites", token), "role")) == "member");
    BOOST_TEST(summary(resend(old)) == "404 not_found");
    BOOST_TEST(accept_with(emailed_token("NEW@example.org"), "long enough").text("/membership/role") ==
               "member");
}

BOOST_AUTO_TEST_CASE(the_lifetime_is_configurable)
{
    lifecycle_fixture fixture({{"LATCHKEY_INVITE_TTL", "5"}});
    auto id = fixture.invite_one("new@example.org");
    auto invitation = fixture.emailed_token("new@example.org");
    BOOST_TEST(fixture.preview(invitation).text("/expires_at") < from_now(std::chrono::seconds(6)));
    BOOST_TEST(support::eventually([&] { return invite_error(fixture.preview(invitation)) == expired; }));
    BOOST_TEST(invite_error(fixture.accept_with(invitation, "long enough")) == expired);
    BOOST_TEST(fixture.resend(id).status == 202u);
    BOOST_TEST(fixture.accept_with(fixture.emailed_token("new@example.org", reminder_subject), "long enough")
                   .status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_manager_cannot_change_an_invite_for_an_admin, lifecycle_fixture)
{
    auto admins = invite_one("a@example.org", "admin"), managers = invite_one("g@example.org", "manager");
    auto invitation = emailed_token("a@example.org");
    BOOST_TEST(resend(admins, mel.token).text("/required") == "team:roles");
    BOOST_TEST(cancel(admins, mel.token).text("/required") == "team:roles");
    BOOST_TEST(preview(invitation).status == 200u);
    BOOST_TEST(resend(managers, mel.token).status == 202u);
    BOOST_TEST(cancel(managers, mel.token).status == 204u);
    auto narrow = mint(R"({"name":"k","scopes":["team:invite"]})");
    BOOST_TEST(cancel(admins, narrow).text("/required") == "team:roles");
    BOOST_TEST(cancel(admins).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(an_invite_of_another_workspace_is_not_found, lifecycle_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    verify_address("eve@example.net");
    auto eves = invite_one("new@example.org", "member", eve.token);
    auto invitation = emailed_token("new@example.org");
    for (auto& id :
         {eves, workspace, std::string("01890a5d-ac96-774b-bcce-b302099a8057"), std::string("x")}) {
        BOOST_TEST(summary(resend(id)) == "404 not_found", id);
        BOOST_TEST(summary(cancel(id)) == "404 not_found", id);
    }
    BOOST_TEST(preview(invitation).status == 200u);
    BOOST_TEST(cancel(eves, eve.token).status == 204u);
}

BOOST_FIXTURE_TEST_CASE(an_invite_ends_with_the_inviters_account_or_the_workspace, lifecycle_fixture)
{
    auto leave = [&](const person& who) {
        return client
            .send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})", who.token)
            .status;
    };
    BOOST_REQUIRE(invite(mel.token, {{"m@example.org", "member"}}).status == 201u);
    auto mels = emailed_token("m@example.org");
    auto eve = sign_up(client, "eve@example.net");
    verify_address("eve@example.net");
    invite_one("e@example.org", "member", eve.token);
    auto eves = emailed_token("e@example.org");
    BOOST_REQUIRE(leave(mel) == 204u);
    BOOST_REQUIRE(leave(eve) == 204u);
    BOOST_TEST(invite_error(accept_with(mels, "long enough")) == cancelled);
    BOOST_TEST(summary(accept_with(eves, "long enough")) == "400 invalid_token");
    BOOST_TEST(db.sql("SELECT count(*) FROM invites WHERE email = 'e@example.org'") == "0");
}

BOOST_FIXTURE_TEST_CASE(an_invite_depends_on_its_last_sender_and_on_the_key_used, lifecycle_fixture)
{
    auto key = mint(R"({"name":"w","owner":"workspace","role":"manager"})");
    auto id = invite_one("first@example.org", "member", key);
    invite_one("second@example.org", "member", key);
    auto by_key = emailed_token("first@example.org"), spared = emailed_token("second@example.org");
    BOOST_REQUIRE(resend(id).status == 202u); // by Ada's session
    auto by_ada = emailed_token("first@example.org", reminder_subject);
    BOOST_TEST(preview(spared).status == 200u);
    BOOST_REQUIRE(client.del(base + "/api-keys/" + key.substr(4, 8), token).status == 204u);
    BOOST_TEST(invite_error(preview(spared)) == cancelled);
    BOOST_TEST(invite_error(accept_with(spared, "long enough")) == cancelled);
    BOOST_TEST(preview(by_ada).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(an_invite_expires_no_later_than_the_key_used, lifecycle_fixture)
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

BOOST_AUTO_TEST_CASE(invites_to_one_address_are_limited_per_day)
{
    lifecycle_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    for (int i = 0; i < 20; ++i) {
        auto id = fixture.invite_one("invitee@example.org");
        fixture.emailed_token("invitee@example.org");
        BOOST_REQUIRE(fixture.cancel(id).status == 204u);
    }
    auto id = fixture.invite_one("Invitee@example.org"); // the invite exists; only its mail is withheld
    await_delivery(fixture.db);
    BOOST_TEST(
        !fixture.mailbox.wait_for("Invitee@example.org", invite_subject, std::chrono::milliseconds(0)));
    BOOST_TEST(summary(fixture.resend(id)) == "429 rate_limited");
    BOOST_TEST(fixture.resend(fixture.invite_one("another@example.org")).status == 202u);
}

BOOST_AUTO_TEST_CASE(resends_of_one_invite_are_limited_per_hour)
{
    lifecycle_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    auto id = fixture.invite_one("new@example.org"), other = fixture.invite_one("other@example.org");
    for (int i = 0; i < 5; ++i)
        BOOST_TEST(fixture.resend(id).status == 202u);
    auto over = fixture.resend(id);
    BOOST_TEST(summary(over) == "429 rate_limited");
    BOOST_TEST(over.header("RateLimit-Policy") == R"("invite-resend";q=5;w=3600)");
    BOOST_TEST(summary(fixture.resend(id, fixture.mel.token)) == "429 rate_limited");
    BOOST_TEST(fixture.resend(other).status == 202u);
}

BOOST_AUTO_TEST_SUITE_END()
