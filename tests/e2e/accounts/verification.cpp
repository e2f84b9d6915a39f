// Proving that a mail address is one's own.
#include "tests/e2e/support/mail_fixture.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace flows;

namespace {

struct signed_up_by_mail : correspondence {
    explicit signed_up_by_mail(support::environment settings = {}) : correspondence(std::move(settings))
    {
        ada = sign_up(client, "ada@example.com");
    }

    std::string is_verified() { return at(client.get(base + "/me", ada.token), "/user/email_verified"); }

    person ada;
};

} // namespace

BOOST_AUTO_TEST_SUITE(verification)

BOOST_FIXTURE_TEST_CASE(the_link_of_the_mail_verifies_the_address_once, signed_up_by_mail)
{
    auto mail = letter_to("ada@example.com", verify_subject);
    auto link = support::link_in(mail);
    auto token = support::token_in(mail);
    BOOST_TEST(link == "http://127.0.0.1:0/verify?token=" + token);
    BOOST_TEST(mail.html.find(link) != std::string::npos);
    BOOST_TEST(is_verified() == "false");

    auto verified = verify(token);
    BOOST_TEST(verified.status == 200u);
    BOOST_TEST(verified.body == R"({"email":"ada@example.com","email_verified":true})");
    BOOST_TEST(is_verified() == "true"); // the remembered caller has been forgotten

    auto again = verify(token);
    BOOST_TEST(again.status == 400u);
    BOOST_TEST(again.code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(who_only_looks_at_the_link_spends_nothing, signed_up_by_mail)
{
    auto token = token_to("ada@example.com", verify_subject);
    for (auto method : {support::http::verb::get, support::http::verb::head, support::http::verb::options}) {
        auto looked = client.send(method, "/verify?token=" + token, "", "");
        BOOST_TEST(looked.status / 100 == 2u);
        BOOST_TEST(looked.body.find(token) == std::string::npos);
    }
    BOOST_TEST(client.get(base + "/email/verify?token=" + token).status == 405u);
    BOOST_TEST(is_verified() == "false");
    BOOST_TEST(verify(token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(of_many_who_send_a_token_at_once_one_spends_it, signed_up_by_mail)
{
    auto body = support::object({{"token", token_to("ada@example.com", verify_subject)}});
    std::atomic<unsigned> good{0}, spent{0};
    std::vector<std::thread> crowd;
    for (int i = 0; i < 12; ++i)
        crowd.emplace_back([&] {
            support::http_client one(server.port());
            auto answer = one.post(base + "/email/verify", body);
            good += answer.status == 200u;
            spent += answer.status == 400u && answer.code() == "invalid_token";
        });
    for (auto& one : crowd)
        one.join();
    BOOST_TEST(good == 1u);
    BOOST_TEST(spent == 11u);
}

BOOST_FIXTURE_TEST_CASE(a_newer_link_voids_the_older, signed_up_by_mail)
{
    auto older = token_to("ada@example.com", verify_subject);
    auto resent = post("/email/verify/resend", "", ada.token);
    BOOST_TEST(resent.status == 202u);
    BOOST_TEST(resent.body.empty());
    auto newer = token_to("ada@example.com", verify_subject);
    BOOST_TEST(newer != older);
    BOOST_TEST(verify(older).status == 400u);
    BOOST_TEST(verify(newer).status == 200u);
}

BOOST_AUTO_TEST_CASE(a_link_expires)
{
    signed_up_by_mail world({{"LATCHKEY_VERIFY_TOKEN_TTL", "1"}});
    auto token = world.token_to("ada@example.com", verify_subject);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    BOOST_TEST(world.verify(token).code() == "invalid_token");
    BOOST_TEST(world.is_verified() == "false");
}

BOOST_FIXTURE_TEST_CASE(a_token_is_good_for_its_own_purpose_alone, signed_up_by_mail)
{
    auto to_verify = token_to("ada@example.com", verify_subject);
    post("/password/forgot", support::object({{"email", "ada@example.com"}}));
    auto to_reset = token_to("ada@example.com", reset_subject);
    auto reset =
        post("/password/reset", support::object({{"token", to_verify}, {"password", "quite another one"}}));
    BOOST_TEST(reset.code() == "invalid_token");
    BOOST_TEST(verify(to_reset).code() == "invalid_token");
    BOOST_TEST(post("/email/change/confirm", support::object({{"token", to_verify}})).code() ==
               "invalid_token");
    BOOST_TEST(verify(to_verify).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(what_is_no_token_is_told_so, signed_up_by_mail)
{
    std::vector<std::string> wrong_ones{"nonsense",           "x",
                                        "' OR 1=1 --",        std::string(256, 'A'),
                                        std::string(43, 'A'), std::string(43, 'A') + "="};
    for (auto& wrong : wrong_ones)
        BOOST_TEST(verify(wrong).code() == "invalid_token", wrong);
    BOOST_TEST(faults(verify("")) == "body.token string_too_short");
    BOOST_TEST(faults(verify(std::string(257, 'A'))) == "body.token string_too_long");
}

BOOST_FIXTURE_TEST_CASE(a_resend_says_nothing_of_whom_it_reaches, signed_up_by_mail)
{
    letter_to("ada@example.com", verify_subject);
    auto known = post("/email/verify/resend", R"({"email":"ada@example.com"})");
    auto unknown = post("/email/verify/resend", R"({"email":"nobody@example.com"})");
    BOOST_TEST(known.status == 202u);
    BOOST_TEST(comparable(known) == comparable(unknown));
    BOOST_TEST(verify(token_to("ada@example.com", verify_subject)).status == 200u);

    auto verified_already = post("/email/verify/resend", R"({"email":"ada@example.com"})");
    BOOST_TEST(comparable(verified_already) == comparable(unknown));
    BOOST_TEST(is_silent("ada@example.com", verify_subject));
    BOOST_TEST(is_silent("nobody@example.com"));
}

BOOST_FIXTURE_TEST_CASE(a_resend_to_oneself_needs_a_credential, signed_up_by_mail)
{
    BOOST_TEST(post("/email/verify/resend", "").status == 401u);
    BOOST_TEST(post("/email/verify/resend", "{}").status == 401u);
    BOOST_TEST(post("/email/verify/resend", "", "nonsense").status == 401u);
    BOOST_TEST(post("/email/verify/resend", R"({"email":null})", ada.token).status == 202u);
}

BOOST_AUTO_TEST_CASE(five_mails_an_hour_are_enough_for_an_account)
{
    signed_up_by_mail world({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    world.letter_to("ada@example.com", verify_subject);
    auto body = R"({"email":"ADA@example.com"})";
    for (int i = 0; i < 9; ++i)
        BOOST_TEST(world.post(i % 2 ? "/email/verify/resend" : "/password/forgot", body).status == 202u);
    unsigned came = 0;
    while (world.mails.wait_for("ada@example.com", {}, std::chrono::milliseconds(1500)))
        ++came;
    BOOST_TEST(came == 5u);
}

BOOST_FIXTURE_TEST_CASE(an_address_that_was_never_verified_can_sign_up_again, signed_up_by_mail)
{
    auto older_link = token_to("ada@example.com", verify_subject);
    auto key = post("/api-keys", R"({"name":"k"})", ada.token).text("/secret");
    auto of_the_workspace =
        post("/api-keys", R"({"name":"k","owner":"workspace"})", ada.token).text("/secret");
    BOOST_REQUIRE(client.get(base + "/me", of_the_workspace).status == 200u);
    auto again = post("/signup", credentials("Ada@example.com", "of somebody else"));
    BOOST_TEST(again.status == 201u);
    BOOST_TEST(again.text("/user/id") != ada.user);
    BOOST_TEST(again.text("/workspace/id") != ada.workspace);

    // Nothing of the older one works any more, and nothing of it is to be seen by the newer.
    BOOST_TEST(client.get(base + "/me", ada.token).status == 401u);
    BOOST_TEST(client.get(base + "/me", key).status == 401u);
    BOOST_TEST(client.get(base + "/me", of_the_workspace).status == 401u);
    BOOST_TEST(post("/token/refresh", support::object({{"refresh_token", ada.refresh_token}})).status ==
               401u);
    BOOST_TEST(verify(older_link).status == 400u);
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", "of somebody else").status == 200u);
    // What the older one owned is kept, for an operator.
    BOOST_TEST(db.sql("SELECT count(*) FROM workspaces WHERE id = '" + ada.workspace + "'") == "1");
}

BOOST_AUTO_TEST_CASE(nobody_is_bombed_by_those_who_sign_up_with_their_address)
{
    correspondence world({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    for (int i = 0; i < 7; ++i) {
        BOOST_TEST(world.post("/signup", credentials("ada@example.com")).status == 201u);
        if (i < 5)
            world.letter_to("ada@example.com", verify_subject);
        else
            BOOST_TEST(world.is_silent("ada@example.com"));
    }
}

BOOST_FIXTURE_TEST_CASE(a_verified_address_cannot, signed_up_by_mail)
{
    verify(token_to("ada@example.com", verify_subject));
    auto again = post("/signup", credentials("ada@example.com", "of somebody else"));
    BOOST_TEST(again.status == 409u);
    BOOST_TEST(again.code() == "email_taken");
    BOOST_TEST(client.get(base + "/me", ada.token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(the_pages_of_links_let_nothing_in_and_give_nothing_away, signed_up_by_mail)
{
    for (std::string path : {"/verify", "/reset", "/email-change", "/invite", "/unsubscribe"}) {
        auto page = client.get(path + "?token=%3Cscript%3E");
        BOOST_TEST(page.status == 200u);
        BOOST_TEST(page.header("Content-Type") == "text/html; charset=utf-8");
        BOOST_TEST(page.header("Referrer-Policy") == "no-referrer");
        BOOST_TEST(page.header("X-Content-Type-Options") == "nosniff");
        auto policy = page.header("Content-Security-Policy");
        BOOST_TEST(policy.find("default-src 'none'") != std::string::npos);
        BOOST_TEST(policy.find("frame-ancestors 'none'") != std::string::npos);
        BOOST_TEST(policy.find("unsafe-inline") == std::string::npos);
        BOOST_TEST(page.body.find("<button>") != std::string::npos);
        BOOST_TEST(page.body == client.get(path).body); // nothing of the request is in it
    }
}

BOOST_AUTO_TEST_SUITE_END()
