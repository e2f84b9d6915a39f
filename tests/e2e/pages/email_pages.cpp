// The pages behind the links of emails, without a script: the token is pasted, as a whole link or alone.
#include "tests/e2e/support/mail_fixture.hpp"
#include "tests/e2e/support/page_client.hpp"

#include <string>

using namespace e2e;

namespace {

struct email_pages_fixture : mail_fixture {
    email_pages_fixture() : browser(server.port()) { ada = sign_up(client, "ada@example.com"); }

    std::string link_to(const std::string& email, std::string_view subject)
    {
        return support::link_in(email_to(email, subject));
    }

    support::response submit(const std::string& path, const form_fields& fields)
    {
        return browser.submit(path, fields);
    }

    void prove_ada()
    {
        BOOST_REQUIRE(verify(emailed_token("ada@example.com", verify_subject)).status == 200u);
    }

    std::string is_proved(const std::string& email)
    {
        return db.sql("SELECT is_proved(u) FROM users u WHERE email = '" + email + "'");
    }

    person ada;
    page_client browser;
};

const std::string spent = "This link is no longer valid";

} // namespace

BOOST_AUTO_TEST_SUITE(email_pages)

BOOST_FIXTURE_TEST_CASE(an_address_is_verified_with_the_password, email_pages_fixture)
{
    auto link = link_to("ada@example.com", verify_subject);
    BOOST_TEST(browser.get("/verify").status == 200u);
    // A click alone proves less than it seems: the page asks.
    auto incomplete = submit("/verify", {{"token", link}});
    BOOST_TEST(incomplete.status == 422u);
    BOOST_TEST(error_at(incomplete, "password") == "Please fill in this field.");
    BOOST_TEST(is_proved("ada@example.com") == "f");
    auto wrong = submit("/verify", {{"token", link}, {"password", "wrong password"}});
    BOOST_TEST(wrong.status == 403u);
    BOOST_TEST(error_at(wrong, "password") == "The password is incorrect.");
    auto done = submit("/verify", {{"token", link}, {"password", "long enough"}});
    BOOST_TEST(done.status == 303u);
    BOOST_TEST(done.header("Location") == "/done?what=verified");
    BOOST_TEST(is_proved("ada@example.com") == "t");
    BOOST_TEST(has(browser.get("/done?what=verified"), "Your email address has been confirmed."));
    auto again = submit("/verify", {{"token", link}, {"password", "long enough"}});
    BOOST_TEST(again.status == 400u);
    BOOST_TEST(error_at(again, "token").starts_with(spent));
}

BOOST_FIXTURE_TEST_CASE(a_browser_that_is_signed_in_verifies_without_the_password, email_pages_fixture)
{
    auto token = emailed_token("ada@example.com", verify_subject);
    submit("/sign-in", {{"email", "ada@example.com"}, {"password", "long enough"}});
    BOOST_TEST(has(browser.get("/verify"), "ada@example.com"));
    BOOST_TEST(submit("/verify", {{"token", token}}).status == 303u);
    BOOST_TEST(is_proved("ada@example.com") == "t");
}

BOOST_FIXTURE_TEST_CASE(a_verification_ignores_the_authorization_header, email_pages_fixture)
{
    auto eve = sign_up(client, "eve@example.com");
    auto link = link_to("ada@example.com", verify_subject);
    for (std::string header : {"Bearer " + ada.token, "Bearer " + eve.token, std::string("Basic YTpi")}) {
        browser.set("Authorization", header);
        BOOST_TEST(error_at(submit("/verify", {{"token", link}}), "password") != "", header);
        BOOST_TEST(is_proved("ada@example.com") == "f");
    }
    BOOST_TEST(submit("/verify", {{"token", link}, {"password", "long enough"}}).status == 303u);
    BOOST_TEST(is_proved("ada@example.com") == "t");
}

BOOST_FIXTURE_TEST_CASE(the_session_of_another_account_verifies_nothing, email_pages_fixture)
{
    sign_up(client, "eve@example.com");
    submit("/sign-in", {{"email", "eve@example.com"}, {"password", "long enough"}});
    auto token = emailed_token("ada@example.com", verify_subject);
    auto refused = submit("/verify", {{"token", token}});
    BOOST_TEST(error_at(refused, "password") == "Please fill in this field.");
    BOOST_TEST(db.sql("SELECT email_verified_at IS NULL FROM users WHERE email = 'ada@example.com'") == "t");
}

BOOST_FIXTURE_TEST_CASE(an_account_that_another_person_made_is_disowned, email_pages_fixture)
{
    auto link = link_to("ada@example.com", verify_subject);
    auto done = submit("/verify", {{"token", link}, {"password", ""}, {"action", "disown"}});
    BOOST_TEST(done.header("Location") == "/done?what=disowned");
    BOOST_TEST(log_in_with("ada@example.com", "long enough").status == 401u);
}

BOOST_FIXTURE_TEST_CASE(a_forgotten_password_is_replaced, email_pages_fixture)
{
    prove_ada();
    auto wrong = submit("/forgot", {{"email", "nowhere"}});
    BOOST_TEST(wrong.status == 422u);
    BOOST_TEST(error_at(wrong, "email") != "");
    for (auto email : {"unknown@example.com", "ada@example.com"}) {
        auto sent = submit("/forgot", {{"email", email}});
        BOOST_TEST(sent.status == 303u);
        BOOST_TEST(sent.header("Location") == "/check-mail?for=reset");
    }
    auto link = link_to("ada@example.com", reset_subject);
    auto weak = submit("/reset", {{"token", link}, {"password", "password"}});
    BOOST_TEST(weak.status == 422u);
    BOOST_TEST(error_at(weak, "password").starts_with("This password is too easy to guess."));
    BOOST_TEST(input_of(weak, "token").find(link.substr(link.find('=') + 1)) != std::string::npos); // kept
    auto missing = submit("/reset", {{"password", "another long one"}});
    BOOST_TEST(error_at(missing, "token") == "Paste the code or the link from the email.");
    auto done = submit("/reset", {{"token", link}, {"password", "another long one"}});
    BOOST_TEST(done.status == 303u);
    BOOST_TEST(done.header("Location") == "/done?what=password-changed");
    BOOST_TEST(log_in_with("ada@example.com", "another long one").status == 200u);
    BOOST_TEST(error_at(submit("/reset", {{"token", link}, {"password", "another long one"}}), "token")
                   .starts_with(spent));
}

BOOST_FIXTURE_TEST_CASE(a_reset_can_end_the_keys_too, email_pages_fixture)
{
    prove_ada();
    client.post(base + "/api-keys", R"({"name":"k"})", ada.token);
    submit("/forgot", {{"email", "ada@example.com"}});
    auto token = emailed_token("ada@example.com", reset_subject);
    submit("/reset", {{"token", token}, {"password", "another long one"}, {"revoke_api_keys", "true"}});
    BOOST_TEST(db.sql("SELECT count(*) FROM api_keys WHERE revoked_at IS NULL") == "0");
}

BOOST_FIXTURE_TEST_CASE(the_verification_email_is_sent_again, email_pages_fixture)
{
    link_to("ada@example.com", verify_subject);
    BOOST_TEST(error_at(submit("/check-mail", {}), "email") == "Please fill in this field.");
    auto sent = submit("/check-mail", {{"email", "ada@example.com"}});
    BOOST_TEST(sent.header("Location") == "/done?what=mail-sent");
    link_to("ada@example.com", verify_subject);
}

BOOST_FIXTURE_TEST_CASE(an_address_is_changed, email_pages_fixture)
{
    prove_ada();
    post("/email/change", R"({"new_email":"ada@new.example","password":"long enough"})", ada.token);
    auto link = link_to("ada@new.example", "Confirm your new email address");
    BOOST_TEST(error_at(submit("/email-change", {{"token", link}}), "password") ==
               "Please fill in this field.");
    auto wrong = submit("/email-change", {{"token", link}, {"password", "wrong password"}});
    BOOST_TEST(error_at(wrong, "password") == "The password is incorrect.");
    auto done = submit("/email-change", {{"token", link}, {"password", "long enough"}});
    BOOST_TEST(done.header("Location") == "/done?what=email-changed");
    BOOST_TEST(log_in_with("ada@new.example", "long enough").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(a_notice_is_unsubscribed_by_page_and_by_mail_program, email_pages_fixture)
{
    prove_ada();
    for (bool by_program : {false, true}) {
        client.patch(base + "/me/notifications", R"({"key_minted":{"email":true}})", ada.token);
        client.post(base + "/api-keys", R"({"name":"k"})", ada.token);
        auto notice = email_to("ada@example.com", "A new API key");
        auto header = notice.headers.at("list-unsubscribe");
        auto token = header.substr(header.find("token=") + 6);
        token = token.substr(0, token.find('>'));
        if (by_program) { // RFC 8058: across sites, without a cookie
            auto done = browser.submit_raw("/unsubscribe?token=" + token, "List-Unsubscribe=One-Click",
                                           "application/x-www-form-urlencoded", "cross-site");
            BOOST_TEST(done.status == 204u);
        } else {
            auto form = browser.get("/unsubscribe?token=" + token);
            BOOST_TEST(input_of(form, "token").find(token) != std::string::npos);
            auto done = submit("/unsubscribe/confirm", {{"token", token}});
            BOOST_TEST(done.header("Location") == "/done?what=unsubscribed");
        }
        BOOST_TEST(json_at(client.get(base + "/me/notifications", ada.token), "/key_minted/email") ==
                   "false");
    }
    auto wrong = submit("/unsubscribe/confirm", {{"token", "made up"}});
    BOOST_TEST(wrong.status == 400u);
    BOOST_TEST(error_at(wrong, "token").starts_with(spent));
    BOOST_TEST(error_at(submit("/unsubscribe/confirm", {}), "token") ==
               "Paste the code or the link from the email.");
}

BOOST_FIXTURE_TEST_CASE(a_key_is_claimed_once, email_pages_fixture)
{
    client.set("Accept", "application/json, text/event-stream");
    auto minted =
        client.post("/mcp",
                    R"({"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"mint_api_key",)"
                    R"("arguments":{"name":"ci","delivery":"claim_url"}}})",
                    ada.token);
    auto at = minted.body.find("#token=");
    BOOST_REQUIRE_MESSAGE(at != std::string::npos, minted.body);
    auto token = minted.body.substr(at + 7, 43);
    BOOST_TEST(browser.get("/claim").status == 200u);
    auto shown = submit("/claim", {{"token", token}});
    BOOST_TEST(shown.status == 200u);
    BOOST_TEST(has(shown, "<code>tnx_"));
    BOOST_TEST(shown.header("Cache-Control") == "no-store");
    auto again = submit("/claim", {{"token", token}});
    BOOST_TEST(again.status == 400u);
    BOOST_TEST(!has(again, "tnx_"));
}

BOOST_AUTO_TEST_SUITE_END()
