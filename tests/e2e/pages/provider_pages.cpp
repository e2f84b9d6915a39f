// Sign-ins through the provider that begin on a page, without a script: which account they reach, and what a
// browser that is signed in already changes about it.
#include "tests/e2e/support/browser.hpp"
#include "tests/e2e/support/invite_fixture.hpp"
#include "tests/e2e/support/page_client.hpp"

#include <string>
#include <utility>

using namespace e2e;

namespace {

const std::string address = "ada@example.org"; // of the provider's person

struct provider_pages_fixture : oidc_fixture {
    explicit provider_pages_fixture(support::environment more = {})
        : oidc_fixture(std::move(more)), browser(server.port())
    {}

    void sign_in_by_password(const std::string& email)
    {
        auto done = browser.submit("/sign-in", {{"email", email}, {"password", "long enough"}});
        BOOST_REQUIRE_MESSAGE(done.status == 303u, done.body);
    }

    /// Where a page or a redirect of ours leads to the provider.
    static std::string authorization_path(const support::response& begun)
    {
        if (begun.status == 302)
            return begun.header("Location");
        auto at = begun.body.find("href=\"" + std::string(google));
        BOOST_REQUIRE_MESSAGE(at != std::string::npos, begun.body);
        at += 6;
        auto out = begun.body.substr(at, begun.body.find('"', at) - at);
        for (auto entity = out.find("&amp;"); entity != out.npos; entity = out.find("&amp;", entity + 1))
            out.erase(entity + 1, 4);
        return out;
    }

    /// Follows the redirects to the provider and back. @return the path that finishes the sign-in
    std::string visit(const support::response& begun)
    {
        auto back = browser.get(request_target(visit_provider(browser.get(authorization_path(begun)))));
        BOOST_REQUIRE_MESSAGE(back.status == 302u, back.body);
        return request_target(back.header("Location"));
    }

    support::response sign_in_by_provider() { return browser.get(visit(browser.get("/sign-in/google"))); }

    support::response press_link()
    {
        return browser.submit("/sign-in/google", {{"return_to", "/console/-/account"}});
    }

    support::response link() { return browser.get(visit(press_link())); }

    std::string grants() { return db.sql("SELECT string_agg(user_id::text, ',') FROM oauth_grants"); }
    std::string users()
    {
        return db.sql("SELECT string_agg(id || email || is_proved(u), ',' ORDER BY id) FROM users u");
    }

    bool is_proved(const std::string& email)
    {
        return db.sql("SELECT is_proved(u) FROM users u WHERE email = '" + email + "'") == "t";
    }

    page_client browser;
};

const support::environment no_authority = {{"LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS", "elsewhere.example"}};

} // namespace

BOOST_AUTO_TEST_SUITE(provider_pages)

BOOST_FIXTURE_TEST_CASE(a_person_signs_up_and_in, provider_pages_fixture)
{
    for (int i = 0; i < 2; ++i) {
        BOOST_TEST(sign_in_by_provider().status == 303u);
        BOOST_TEST(browser.is_signed_in());
        BOOST_TEST(db.sql("SELECT count(*) FROM users") == "1");
        browser.submit("/sign-out", {});
    }
}

BOOST_FIXTURE_TEST_CASE(a_link_of_another_site_begins_no_sign_in, provider_pages_fixture)
{
    for (std::string site : {"cross-site", "same-site", "nonsense"}) {
        auto shown = browser.get("/sign-in/google?return_to=%2Fdone", site);
        BOOST_TEST(shown.status == 303u, site);
        BOOST_TEST(shown.header("Location") == "/sign-in?return_to=%2Fdone", site);
        BOOST_TEST(shown.header("Set-Cookie") == "", site);
    }
    BOOST_TEST(browser.get("/sign-in/google", "same-origin").status == 302u);
}

BOOST_FIXTURE_TEST_CASE(cookies_of_begun_sign_ins_stay_small, provider_pages_fixture)
{
    // Proxies accept headers of 8 kB; up to five of these cookies are there at once.
    auto begun = browser.get("/sign-in/google?return_to=/" + std::string(2000, 'a'));
    BOOST_TEST(begun.status == 302u);
    BOOST_TEST(begun.header("Set-Cookie").size() < 1500u);
    begun = browser.get("/sign-in/google?return_to=/" + std::string(500, 'a'));
    BOOST_TEST(begun.header("Set-Cookie").size() < 1500u);
    BOOST_TEST(browser.get(visit(begun)).header("Location") == "/" + std::string(500, 'a'));
}

BOOST_FIXTURE_TEST_CASE(an_unproved_account_that_links_keeps_what_it_has, provider_pages_fixture)
{
    auto ada = sign_up(client, address);
    auto key = post("/api-keys", R"({"name":"k"})", ada.token).text("/secret");
    sign_in_by_password(address);
    auto before = browser.session_cookie();
    auto done = link();
    BOOST_TEST(done.status == 303u, done.body);
    BOOST_TEST(done.header("Location") == "/console/-/account");
    BOOST_TEST(grants() == ada.user);
    BOOST_TEST(is_proved(address));
    BOOST_TEST(client.get(base + "/me", key).status == 200u);
    BOOST_TEST(client.get(base + "/me", ada.token).status == 200u);
    BOOST_TEST(log_in_with(address, "long enough").text("/user/id") == ada.user);
    BOOST_TEST(browser.session_cookie() != before); // a new one at each sign-in
    BOOST_TEST(
        db.sql("SELECT count(*) FROM sessions WHERE cookie_digest IS NOT NULL AND revoked_at IS NULL") ==
        "1");
}

// The link of another site, or a second tab, does not ask for the account to be replaced.
BOOST_FIXTURE_TEST_CASE(a_plain_sign_in_does_not_replace_the_account_of_the_browser, provider_pages_fixture)
{
    auto ada = sign_up(client, address);
    auto key = post("/api-keys", R"({"name":"k"})", ada.token).text("/secret");
    auto begun = browser.get("/sign-in/google");
    BOOST_TEST(begun.status == 302u);
    sign_in_by_password(address);
    auto users_before = users();
    auto refused = browser.get(visit(begun));
    BOOST_TEST(refused.status == 409u);
    BOOST_TEST(has(refused, "link the provider in your account"));
    auto again = browser.get("/sign-in/google?return_to=%2Fdone%3Fwhat%3Dsigned-in");
    BOOST_TEST(again.status == 303u);
    BOOST_TEST(again.header("Location") == "/done?what=signed-in");
    BOOST_TEST(users() == users_before);
    BOOST_TEST(grants() == "");
    BOOST_TEST(client.get(base + "/me", key).status == 200u);
    BOOST_TEST(client.get(base + "/me", ada.token).status == 200u);
    BOOST_TEST(has(browser.get("/sign-out"), address)); // still signed in
}

BOOST_FIXTURE_TEST_CASE(the_identity_of_another_account_is_not_linked, provider_pages_fixture)
{
    auto bob = sign_up(client, "bob@example.org");
    sign_in_by_password("bob@example.org");
    auto refuse = [&] {
        auto before = users() + " " + grants();
        auto refused = link();
        BOOST_TEST(refused.status == 403u);
        BOOST_TEST(has(refused, "Nothing was changed."));
        BOOST_TEST(has(refused, "href=\"/console/-/account\""));
        BOOST_TEST(users() + " " + grants() == before);
        BOOST_TEST(has(browser.get("/sign-out"), "bob@example.org"));
    };
    refuse(); // an address that no account has
    auto ada = sign_up(client, address);
    refuse(); // that of an unproved account
    BOOST_REQUIRE(verify(emailed_token(address, verify_subject)).status == 200u);
    refuse(); // that of a proved one
    BOOST_TEST(sign_in().text("/user/id") == ada.user);
    BOOST_TEST(grants() == ada.user);
    set_claims({{"email", "bob@example.org"}});
    refuse(); // an identity that is linked already, with any address
    BOOST_TEST(client.get(base + "/me", bob.token).status == 200u);
}

BOOST_AUTO_TEST_CASE(an_identity_that_proves_nothing_is_linked_by_a_fresh_session)
{
    provider_pages_fixture fixture(no_authority);
    auto ada = sign_up(fixture.client, address);
    BOOST_REQUIRE(fixture.verify(fixture.emailed_token(address, verify_subject)).status == 200u);
    auto refused = fixture.sign_in_by_provider();
    BOOST_TEST(refused.status == 409u);
    BOOST_TEST(!fixture.browser.is_signed_in());

    fixture.sign_in_by_password(address);
    fixture.db.sql("UPDATE sessions SET created_at = now() - interval '6 minutes'");
    auto stale = fixture.link();
    BOOST_TEST(stale.status == 403u);
    BOOST_TEST(has(stale, "Please sign in again"));
    BOOST_TEST(has(stale, "return_to=%2Fconsole%2F-%2Faccount"));
    BOOST_TEST(fixture.grants() == "");

    fixture.sign_in_by_password(address);
    BOOST_TEST(fixture.link().status == 303u);
    BOOST_TEST(fixture.grants() == ada.user);
}

BOOST_FIXTURE_TEST_CASE(an_identity_that_an_invite_is_not_for_does_not_sign_in, provider_pages_fixture)
{
    sign_up(client, "boss@example.org");
    BOOST_REQUIRE(verify(emailed_token("boss@example.org", verify_subject)).status == 200u);
    auto boss = log_in(client, "boss@example.org");
    auto users_before = users();
    auto accept = [&](const std::string& email) {
        auto made = post("/team/invites", invites_body({{email, "member"}}), boss.token);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        auto link = support::link_in(email_to(email, invite_subject));
        auto begun = browser.submit("/invite", {{"token", link}, {"action", "provider"}});
        BOOST_TEST(begun.status == 200u);
        return std::pair(made.text("/items/0/invite_id"), visit(begun));
    };
    auto for_other = browser.get(accept("grace@example.org").second);
    BOOST_TEST(for_other.status == 403u);
    BOOST_TEST(has(for_other, "The invite is for another email address"));
    auto [invite, path] = accept(address);
    BOOST_TEST(client.del(base + "/team/invites/" + invite, boss.token).status == 204u);
    BOOST_TEST(browser.get(path).status == 400u);
    BOOST_TEST(!browser.is_signed_in());
    BOOST_TEST(users() == users_before);
    BOOST_TEST(grants() == "");
}

BOOST_FIXTURE_TEST_CASE(only_the_session_that_began_it_links, provider_pages_fixture)
{
    sign_up(client, address);
    sign_up(client, "bob@example.org");
    auto users_before = users();
    auto without = press_link();
    BOOST_TEST(without.status == 303u);
    BOOST_TEST(without.header("Location") == "/sign-in?return_to=%2Fconsole%2F-%2Faccount");
    for (bool as_bob : {false, true}) {
        sign_in_by_password(address);
        auto begun = press_link();
        if (as_bob)
            sign_in_by_password("bob@example.org");
        else
            browser.submit("/sign-out", {});
        auto refused = browser.get(visit(begun));
        BOOST_TEST(refused.status == 422u);
        BOOST_TEST(has(refused, "The sign-in was not completed."));
        BOOST_TEST(browser.is_signed_in() == as_bob);
    }
    BOOST_TEST(users() == users_before);
    BOOST_TEST(grants() == "");
}

BOOST_FIXTURE_TEST_CASE(a_person_signs_in_once_more_as_the_same_user, provider_pages_fixture)
{
    sign_in_by_provider();
    auto before = browser.session_cookie();
    auto form = browser.get("/sign-in?again=1");
    BOOST_TEST(has(form, "href=\"/sign-in/google?again=1\""));
    auto sign_in_again = [&] { return browser.get(visit(browser.get("/sign-in/google?again=1"))); };
    BOOST_TEST(sign_in_again().status == 303u);
    BOOST_TEST(provider().log().at("authorize").at("prompt").as_string() == "login");
    BOOST_TEST(browser.session_cookie() != before);

    auto users_before = users(), cookie = browser.session_cookie();
    set_claims({{"sub", "another"}, {"email", "bob@example.org"}});
    auto refused = sign_in_again();
    BOOST_TEST(refused.status == 403u);
    BOOST_TEST(has(refused, "Nothing was changed."));
    BOOST_TEST(users() == users_before);
    BOOST_TEST(browser.session_cookie() == cookie);
}

BOOST_FIXTURE_TEST_CASE(sign_ins_of_several_tabs_do_not_interfere, provider_pages_fixture)
{
    auto first = browser.get("/sign-in/google?return_to=%2Fdone%3Fwhat%3Djoined");
    auto second = browser.get("/sign-in/google?return_to=%2Fdone%3Fwhat%3Dverified");
    BOOST_TEST(browser.cookie_count("latchkey-sign-in-") == 2u);
    auto path = visit(first);
    BOOST_TEST(browser.get(path).header("Location") == "/done?what=joined");
    BOOST_TEST(browser.cookie_count("latchkey-sign-in-") == 1u);
    BOOST_TEST(browser.get(path).status == 400u); // once
    BOOST_TEST(browser.get(visit(second)).header("Location") == "/done?what=verified");
    BOOST_TEST(browser.cookie_count("latchkey-sign-in-") == 0u);

    browser.submit("/sign-out", {});
    support::response last;
    for (int i = 0; i < 8; ++i)
        last = browser.get("/sign-in/google");
    BOOST_TEST(browser.cookie_count("latchkey-sign-in-") == 5u);
    BOOST_TEST(browser.get(visit(last)).status == 303u);
}

BOOST_AUTO_TEST_SUITE_END()
