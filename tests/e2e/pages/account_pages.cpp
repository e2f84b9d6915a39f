// /sign-in, /sign-up and /sign-out without a script.
#include "tests/e2e/support/mail_fixture.hpp"
#include "tests/e2e/support/page_client.hpp"

#include <string>

using namespace e2e;

namespace {

struct account_pages_fixture : mail_fixture {
    explicit account_pages_fixture(support::environment settings = {})
        : mail_fixture(std::move(settings)), browser(server.port())
    {}

    support::response sign_in(const std::string& email, const std::string& password = "long enough")
    {
        return browser.submit("/sign-in", {{"email", email}, {"password", password}});
    }

    page_client browser;
};

} // namespace

BOOST_AUTO_TEST_SUITE(account_pages)

BOOST_FIXTURE_TEST_CASE(a_person_signs_in_and_out, account_pages_fixture)
{
    sign_up(client, "ada@example.com");
    auto form = browser.get("/sign-in?return_to=%2Fconsole%2Fkeys%3Fa%3Db");
    BOOST_TEST(form.status == 200u);
    BOOST_TEST(input_of(form, "email").find("autocomplete=\"username\"") != std::string::npos);
    BOOST_TEST(input_of(form, "password").find("autocomplete=\"current-password\"") != std::string::npos);
    BOOST_TEST(input_of(form, "return_to").find("value=\"/console/keys?a=b\"") != std::string::npos);

    auto done = browser.submit(
        "/sign-in",
        {{"email", "ada@example.com"}, {"password", "long enough"}, {"return_to", "/console/keys?a=b"}});
    BOOST_TEST(done.status == 303u);
    BOOST_TEST(done.header("Location") == "/console/keys?a=b");
    BOOST_REQUIRE(browser.is_signed_in());
    // The session is one of the account's, and nothing else was opened.
    BOOST_TEST(db.sql("SELECT count(*) FROM sessions WHERE cookie_digest IS NOT NULL") == "1");

    auto again = browser.get("/sign-in");
    BOOST_TEST(again.status == 303u);
    auto question = browser.get("/sign-out");
    BOOST_TEST(has(question, "ada@example.com"));
    BOOST_TEST(browser.is_signed_in());
    auto out = browser.submit("/sign-out", {});
    BOOST_TEST(out.status == 303u);
    BOOST_TEST(out.header("Location") == "/done?what=signed-out");
    BOOST_TEST(!browser.is_signed_in());
    BOOST_TEST(browser.get("/sign-in").status == 200u);
    BOOST_TEST(has(browser.get("/sign-out"), "You are not signed in"));
    BOOST_TEST(browser.submit("/sign-out", {}).status == 303u); // twice is fine
}

BOOST_FIXTURE_TEST_CASE(errors_stand_at_their_fields, account_pages_fixture)
{
    sign_up(client, "ada@example.com");
    auto empty = browser.submit("/sign-in", {});
    BOOST_TEST(empty.status == 422u);
    BOOST_TEST(error_at(empty, "email") == "Please fill in this field.");
    BOOST_TEST(error_at(empty, "password") == "Please fill in this field.");
    BOOST_TEST(has(empty, "<title>Error: Sign in"));
    BOOST_TEST(has(empty, "role=\"alert\""));
    BOOST_TEST(has(empty, "href=\"#email\""));

    auto wrong = browser.submit("/sign-in", {{"email", "not an <address>"}, {"password", "pass\"word>"}});
    BOOST_TEST(wrong.status == 422u);
    BOOST_TEST(error_at(wrong, "email") == "Enter an email address, such as ada@example.com.");
    BOOST_TEST(error_at(wrong, "password") == "");
    BOOST_TEST(input_of(wrong, "email").find("value=\"not an &lt;address&gt;\"") != std::string::npos);
    BOOST_TEST(!has(wrong, "pass&quot;word")); // a password is never written into a page
    BOOST_TEST(!has(wrong, "<address>"));

    for (auto email : {"ada@example.com", "unknown@example.com"}) {
        auto refused = sign_in(email, "wrong password");
        BOOST_TEST(refused.status == 422u);
        BOOST_TEST(has(refused, "The email address or the password is incorrect."));
        BOOST_TEST(refused.header("WWW-Authenticate") == "");
        BOOST_TEST(!browser.is_signed_in());
        BOOST_TEST(!has(refused, "wrong password"));
    }
}

BOOST_FIXTURE_TEST_CASE(a_person_signs_up_and_is_signed_in, account_pages_fixture)
{
    auto form = browser.get("/sign-up");
    BOOST_TEST(input_of(form, "password").find("autocomplete=\"new-password\"") != std::string::npos);
    auto weak = browser.submit("/sign-up", {{"email", "ada@example.com"},
                                            {"password", "password"},
                                            {"name", "Ada <b>"},
                                            {"workspace_name", "Engines"}});
    BOOST_TEST(weak.status == 422u);
    BOOST_TEST(error_at(weak, "password").starts_with("This password is too easy to guess."));
    BOOST_TEST(input_of(weak, "name").find("value=\"Ada &lt;b&gt;\"") != std::string::npos);
    BOOST_TEST(input_of(weak, "password").find("value=") == std::string::npos);
    auto brief =
        browser.submit("/sign-up", {{"email", "x"}, {"password", "short"}, {"name", std::string(200, 'n')}});
    BOOST_TEST(error_at(brief, "email") != "");
    BOOST_TEST(error_at(brief, "password") == "The password needs at least 8 characters.");
    BOOST_TEST(error_at(brief, "name") == "This text is too long.");

    auto made = browser.submit("/sign-up", {{"email", "ada@example.com"},
                                            {"password", "long enough"},
                                            {"name", "Ada"},
                                            {"workspace_name", "Engines"}});
    BOOST_TEST(made.status == 303u);
    BOOST_TEST(browser.is_signed_in());
    BOOST_TEST(db.sql("SELECT name FROM workspaces") == "Engines");
    BOOST_TEST(db.sql("SELECT count(*) FROM sessions") == "1");

    page_client other(server.port());
    auto taken = other.submit("/sign-up", {{"email", "ada@example.com"}, {"password", "long enough"}});
    BOOST_TEST(taken.status == 409u);
    BOOST_TEST(error_at(taken, "email") == "An account with this email address exists.");
}

BOOST_AUTO_TEST_CASE(a_sign_up_that_has_to_be_verified_leads_to_the_mailbox)
{
    account_pages_fixture required({{"LATCHKEY_EMAIL_VERIFICATION", "required"}});
    auto& browser = required.browser;
    form_fields person = {{"email", "ada@example.com"}, {"password", "long enough"}};
    for (int i = 0; i < 2; ++i) { // the same for an address that is known
        auto made = browser.submit("/sign-up", person);
        BOOST_TEST(made.status == 303u);
        BOOST_TEST(made.header("Location") == "/check-mail?for=sign-up");
        BOOST_TEST(!browser.is_signed_in());
    }
    BOOST_TEST(has(browser.get("/check-mail?for=sign-up"), "Check your email"));
    auto token = required.emailed_token("ada@example.com", verify_subject);
    auto done = browser.submit("/verify", {{"token", token}, {"password", "long enough"}});
    BOOST_TEST(done.header("Location") == "/done?what=verified");
    BOOST_TEST(browser.submit("/sign-in", person).status == 303u);
    BOOST_TEST(browser.is_signed_in());
}

BOOST_FIXTURE_TEST_CASE(a_return_to_another_site_is_ignored, account_pages_fixture)
{
    sign_up(client, "ada@example.com");
    for (auto url :
         {"https://evil.example/", "//evil.example", "/\\evil.example", "/../x", "javascript:alert(1)"}) {
        auto form = browser.get("/sign-in?return_to=" +
                                boost::urls::encode(std::string_view(url), boost::urls::unreserved_chars));
        BOOST_TEST(!has(form, "evil"));
        BOOST_TEST(!has(form, "javascript:"));
        page_client fresh(server.port());
        auto done = fresh.submit(
            "/sign-in", {{"email", "ada@example.com"}, {"password", "long enough"}, {"return_to", url}});
        BOOST_TEST(done.status == 303u);
        auto to = done.header("Location");
        BOOST_TEST((to == "/console" || to == "/done?what=signed-in"), to << " for " << url); // as built
    }
}

BOOST_FIXTURE_TEST_CASE(a_person_signs_in_once_more, account_pages_fixture)
{
    sign_up(client, "ada@example.com");
    sign_up(client, "eve@example.com");
    const std::string again = "/sign-in?again=1&return_to=%2Fconsole%2F-%2Faccount";
    auto is_fixed = [](const support::response& page) {
        return input_of(page, "email").find("readonly") != std::string::npos;
    };
    BOOST_TEST(!is_fixed(browser.get(again))); // of a browser that is not signed in
    sign_in("ada@example.com");
    db.sql("UPDATE sessions SET created_at = now() - interval '1 hour'");
    auto before = browser.session_cookie();
    auto form = browser.get(again);
    BOOST_TEST(form.status == 200u);
    BOOST_TEST(is_fixed(form));
    BOOST_TEST(input_of(form, "email").find("value=\"ada@example.com\"") != std::string::npos);
    BOOST_TEST(input_of(form, "again") != "");
    BOOST_TEST(has(form, "Please sign in again"));
    BOOST_TEST(!has(form, "href=\"/sign-up"));

    form_fields fields = {{"again", "1"},
                          {"email", "eve@example.com"}, // is not what counts
                          {"password", "wrong password"},
                          {"return_to", "/console/-/account"}};
    auto wrong = browser.submit("/sign-in", fields);
    BOOST_TEST(wrong.status == 422u);
    BOOST_TEST(is_fixed(wrong));
    BOOST_TEST(browser.session_cookie() == before);
    fields[2].second = "long enough";
    auto done = browser.submit("/sign-in", fields);
    BOOST_TEST(done.status == 303u);
    BOOST_TEST(done.header("Location") == "/console/-/account");
    BOOST_TEST(browser.session_cookie() != before);
    BOOST_TEST(has(browser.get("/sign-out"), "ada@example.com"));
    BOOST_TEST(
        db.sql("SELECT count(*) || ' ' || bool_and(created_at > now() - interval '1 minute') FROM sessions "
               "WHERE cookie_digest IS NOT NULL AND revoked_at IS NULL") == "1 true");
    BOOST_TEST(browser.get("/sign-up?again=1").status == 303u);
}

BOOST_FIXTURE_TEST_CASE(a_sign_in_replaces_the_session_of_the_browser, account_pages_fixture)
{
    sign_up(client, "ada@example.com");
    sign_in("ada@example.com");
    auto first = browser.session_cookie();
    sign_in("ada@example.com");
    BOOST_TEST(browser.session_cookie() != first);
    BOOST_TEST(
        db.sql("SELECT count(*) FROM sessions WHERE cookie_digest IS NOT NULL AND revoked_at IS NULL") ==
        "1");
}

BOOST_AUTO_TEST_CASE(a_server_on_the_network_without_https_says_what_to_do)
{
    account_pages_fixture open({{"LATCHKEY_PUBLIC_URL", "http://id.example.com"}});
    for (std::string path : {"/sign-in", "/sign-up", "/sign-in/google"}) {
        auto page = open.browser.get(path);
        BOOST_TEST(page.status == 403u, path);
        BOOST_TEST(has(page, "needs HTTPS"), path);
    }
    auto refused = open.browser.submit("/sign-in", {{"email", "a@example.com"}, {"password", "long enough"}});
    BOOST_TEST(refused.status == 403u);
    BOOST_TEST(open.browser.get("/reset").status == 200u); // needs no cookie
}

BOOST_AUTO_TEST_SUITE_END()
