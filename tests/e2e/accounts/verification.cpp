// Email verification: tokens, resends, and unverified accounts that sign up again.
#include "tests/e2e/support/mail_fixture.hpp"

#include <atomic>
#include <thread>
#include <vector>

using namespace e2e;

namespace {

struct verification_fixture : mail_fixture {
    explicit verification_fixture(support::environment settings = {}) : mail_fixture(std::move(settings))
    {
        ada = sign_up(client, "ada@example.com");
    }

    std::string is_verified() { return json_at(client.get(base + "/me", ada.token), "/user/email_verified"); }

    person ada;
};

} // namespace

BOOST_AUTO_TEST_SUITE(verification)

BOOST_FIXTURE_TEST_CASE(the_emailed_link_verifies_the_address_once, verification_fixture)
{
    auto message = email_to("ada@example.com", verify_subject);
    auto link = support::link_in(message);
    auto token = support::token_in(message);
    BOOST_TEST(link == "http://127.0.0.1:0/verify#token=" + token);
    BOOST_TEST(message.html.find(link) != std::string::npos);
    BOOST_TEST(is_verified() == "false");

    auto verified = verify(token);
    BOOST_TEST(verified.status == 200u);
    BOOST_TEST(verified.body == R"({"email":"ada@example.com","email_verified":true})");
    BOOST_TEST(is_verified() == "true"); // the cached principal was evicted

    auto again = verify(token);
    BOOST_TEST(again.status == 400u);
    BOOST_TEST(again.code() == "invalid_token");
}

BOOST_FIXTURE_TEST_CASE(opening_the_link_does_not_spend_the_token, verification_fixture)
{
    auto token = emailed_token("ada@example.com", verify_subject);
    for (auto method : {support::http::verb::get, support::http::verb::head, support::http::verb::options}) {
        auto opened = client.send(method, "/verify", "", "");
        BOOST_TEST(opened.status / 100 == 2u);
        BOOST_TEST(opened.body.find(token) == std::string::npos);
    }
    BOOST_TEST(client.get(base + "/email/verify?token=" + token).status == 405u);
    BOOST_TEST(is_verified() == "false");
    BOOST_TEST(verify(token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(of_concurrent_verifications_exactly_one_succeeds, verification_fixture)
{
    auto body = support::object({{"token", emailed_token("ada@example.com", verify_subject)}});
    std::atomic<unsigned> succeeded{0}, rejected{0};
    std::vector<std::thread> threads;
    for (int i = 0; i < 12; ++i)
        threads.emplace_back([&] {
            support::http_client one(server.port());
            auto answer = one.post(base + "/email/verify", body);
            succeeded += answer.status == 200u;
            rejected += answer.status == 400u && answer.code() == "invalid_token";
        });
    for (auto& one : threads)
        one.join();
    BOOST_TEST(succeeded == 1u);
    BOOST_TEST(rejected == 11u);
}

BOOST_FIXTURE_TEST_CASE(a_newer_link_invalidates_the_older, verification_fixture)
{
    auto older = emailed_token("ada@example.com", verify_subject);
    auto resent = post("/email/verify/resend", "", ada.token);
    BOOST_TEST(resent.status == 202u);
    BOOST_TEST(resent.body.empty());
    auto newer = emailed_token("ada@example.com", verify_subject);
    BOOST_TEST(newer != older);
    BOOST_TEST(verify(older).status == 400u);
    BOOST_TEST(verify(newer).status == 200u);
}

BOOST_AUTO_TEST_CASE(a_link_expires)
{
    verification_fixture fixture({{"LATCHKEY_VERIFY_TOKEN_TTL", "1"}});
    auto token = fixture.emailed_token("ada@example.com", verify_subject);
    std::this_thread::sleep_for(std::chrono::milliseconds(1100));
    BOOST_TEST(fixture.verify(token).code() == "invalid_token");
    BOOST_TEST(fixture.is_verified() == "false");
}

BOOST_FIXTURE_TEST_CASE(a_token_is_bound_to_its_purpose, verification_fixture)
{
    auto to_verify = emailed_token("ada@example.com", verify_subject);
    post("/password/forgot", support::object({{"email", "ada@example.com"}}));
    auto to_reset = emailed_token("ada@example.com", reset_subject);
    auto reset =
        post("/password/reset", support::object({{"token", to_verify}, {"password", "quite another one"}}));
    BOOST_TEST(reset.code() == "invalid_token");
    BOOST_TEST(verify(to_reset).code() == "invalid_token");
    BOOST_TEST(post("/email/change/confirm", support::object({{"token", to_verify}})).code() ==
               "invalid_token");
    BOOST_TEST(verify(to_verify).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(malformed_tokens_are_rejected, verification_fixture)
{
    std::vector<std::string> wrong_ones{"nonsense",           "x",
                                        "' OR 1=1 --",        std::string(256, 'A'),
                                        std::string(43, 'A'), std::string(43, 'A') + "="};
    for (auto& wrong : wrong_ones)
        BOOST_TEST(verify(wrong).code() == "invalid_token", wrong);
}

BOOST_FIXTURE_TEST_CASE(a_resend_does_not_reveal_whether_an_address_exists, verification_fixture)
{
    email_to("ada@example.com", verify_subject);
    auto known = post("/email/verify/resend", R"({"email":"ada@example.com"})");
    auto unknown = post("/email/verify/resend", R"({"email":"unknown@example.com"})");
    BOOST_TEST(known.status == 202u);
    BOOST_TEST(normalized(known) == normalized(unknown));
    BOOST_TEST(verify(emailed_token("ada@example.com", verify_subject)).status == 200u);

    auto verified_already = post("/email/verify/resend", R"({"email":"ada@example.com"})");
    BOOST_TEST(normalized(verified_already) == normalized(unknown));
    BOOST_TEST(no_more_emails("ada@example.com", verify_subject));
    BOOST_TEST(no_more_emails("unknown@example.com"));
}

BOOST_FIXTURE_TEST_CASE(a_resend_without_an_address_requires_a_credential, verification_fixture)
{
    BOOST_TEST(post("/email/verify/resend", "").status == 401u);
    BOOST_TEST(post("/email/verify/resend", "{}").status == 401u);
    BOOST_TEST(post("/email/verify/resend", "", "nonsense").status == 401u);
    BOOST_TEST(post("/email/verify/resend", R"({"email":null})", ada.token).status == 202u);
}

BOOST_AUTO_TEST_CASE(an_account_receives_at_most_five_emails_an_hour)
{
    verification_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    fixture.email_to("ada@example.com", verify_subject);
    auto body = R"({"email":"ADA@example.com"})";
    for (int i = 0; i < 9; ++i)
        BOOST_TEST(fixture.post(i % 2 ? "/email/verify/resend" : "/password/forgot", body).status == 202u);
    await_delivery(fixture.db);
    unsigned received = 0;
    while (fixture.mailbox.wait_for("ada@example.com", {}, std::chrono::milliseconds(0)))
        ++received;
    BOOST_TEST(received == 5u);
}

BOOST_FIXTURE_TEST_CASE(another_signup_changes_nothing_about_an_unverified_account, verification_fixture)
{
    auto link = emailed_token("ada@example.com", verify_subject);
    auto key = post("/api-keys", R"({"name":"k"})", ada.token).text("/secret");
    auto again = post("/signup", credentials("Ada@example.com", "chosen by another"));
    BOOST_TEST(again.status == 409u);
    BOOST_TEST(again.code() == "email_taken");
    BOOST_TEST(no_more_emails("ada@example.com"));
    for (auto& credential : {ada.token, key})
        BOOST_TEST(client.get(base + "/me", credential).status == 200u);
    BOOST_TEST(log_in_with("ada@example.com", "chosen by another").status == 401u);
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 200u);
    BOOST_TEST(verify(link).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_link_with_the_session_or_the_password_proves_the_account, verification_fixture)
{
    auto is_proved = [this] {
        return db.sql("SELECT is_proved(u) FROM users u WHERE email = 'ada@example.com'");
    };
    auto token = emailed_token("ada@example.com", verify_subject);
    auto wrong = post("/email/verify", support::object({{"token", token}, {"password", "not hers"}}));
    BOOST_TEST(wrong.status == 403u);
    BOOST_TEST(wrong.code() == "invalid_credentials");
    BOOST_TEST(is_verified() == "false"); // and the token is not spent
    auto eve = sign_up(client, "eve@example.net");
    BOOST_TEST(post("/email/verify", support::object({{"token", token}}), eve.token).status == 200u);
    BOOST_TEST(is_verified() == "true");
    BOOST_TEST(is_proved() == "f");

    // A verified account that is not proved gets another link.
    BOOST_TEST(post("/email/verify/resend", "", ada.token).status == 202u);
    token = emailed_token("ada@example.com", verify_subject);
    BOOST_TEST(post("/email/verify", support::object({{"token", token}}), ada.token).status == 200u);
    BOOST_TEST(is_proved() == "t");
    BOOST_TEST(post("/email/verify/resend", "", ada.token).status == 202u);
    BOOST_TEST(no_more_emails("ada@example.com"));

    auto bob = sign_up(client, "bob@example.com");
    auto body = support::object(
        {{"token", emailed_token("bob@example.com", verify_subject)}, {"password", "long enough"}});
    BOOST_TEST(post("/email/verify", body).status == 200u);
    BOOST_TEST(db.sql("SELECT is_proved(u) FROM users u WHERE email = 'bob@example.com'") == "t");
}

BOOST_FIXTURE_TEST_CASE(a_verified_address_cannot_sign_up_again, verification_fixture)
{
    verify(emailed_token("ada@example.com", verify_subject));
    auto again = post("/signup", credentials("ada@example.com", "chosen by another"));
    BOOST_TEST(again.status == 409u);
    BOOST_TEST(again.code() == "email_taken");
    BOOST_TEST(client.get(base + "/me", ada.token).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(link_pages_have_strict_headers_and_escape_the_token, verification_fixture)
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
        BOOST_TEST(page.body.find("<button") != std::string::npos);
        BOOST_TEST(page.body.find("<script>") == std::string::npos); // escaped, if it is there at all
    }
}

BOOST_AUTO_TEST_SUITE_END()
