// /invite without a script: shown and accepted, by password and by the session of the browser.
#include "tests/e2e/support/invite_fixture.hpp"
#include "tests/e2e/support/page_client.hpp"

#include <string>

using namespace e2e;

namespace {

struct invite_pages_fixture : invite_fixture {
    invite_pages_fixture() : browser(server.port()) {}

    /// A new invite. @return its link
    std::string link_for(const std::string& email, const std::string& role = "member")
    {
        invite_one(email, role);
        return support::link_in(email_to(email));
    }

    std::string role_of(const std::string& email)
    {
        return db.sql(
            "SELECT role FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.workspace_id = '" +
            workspace + "' AND u.email = '" + email + "'");
    }

    page_client browser;
};

} // namespace

BOOST_AUTO_TEST_SUITE(invite_pages)

BOOST_FIXTURE_TEST_CASE(a_new_person_chooses_a_password_and_is_signed_in, invite_pages_fixture)
{
    auto link = link_for("grace@example.net", "manager");
    BOOST_TEST(input_of(browser.get("/invite"), "token") != "");
    auto shown = browser.submit("/invite", {{"token", link}});
    BOOST_TEST(shown.status == 200u);
    BOOST_TEST(has(shown, "grace@example.net"));
    BOOST_TEST(has(shown, "a manager"));
    BOOST_TEST(input_of(shown, "password").find("autocomplete=\"new-password\"") != std::string::npos);
    auto short_one =
        browser.submit("/invite", {{"token", link}, {"action", "accept"}, {"password", "short"}});
    BOOST_TEST(short_one.status == 422u);
    BOOST_TEST(error_at(short_one, "password") == "The password needs at least 8 characters.");
    auto missing = browser.submit("/invite", {{"token", link}, {"action", "accept"}});
    BOOST_TEST(error_at(missing, "password") == "Please fill in this field.");
    auto done = browser.submit("/invite", {{"token", link},
                                           {"action", "accept"},
                                           {"email", "grace@example.net"},
                                           {"name", "Grace"},
                                           {"password", "a compiler of words"}});
    BOOST_TEST(done.status == 303u);
    BOOST_TEST(done.header("Location") == "/done?what=joined");
    BOOST_TEST(browser.is_signed_in());
    BOOST_TEST(role_of("grace@example.net") == "manager");
    auto again = browser.submit("/invite", {{"token", link}});
    BOOST_TEST(again.status == 400u);
    BOOST_TEST(has(again, "The invite has been accepted already."));
}

BOOST_FIXTURE_TEST_CASE(an_account_is_proved_by_its_password_or_by_the_session, invite_pages_fixture)
{
    for (bool by_session : {false, true}) {
        std::string email = by_session ? "bob@example.net" : "zoe@example.net";
        sign_up(client, email);
        verify_address(email);
        auto link = link_for(email);
        page_client own(server.port());
        if (by_session) {
            own.submit("/sign-in", {{"email", email}, {"password", "long enough"}});
            auto shown = own.submit("/invite", {{"token", link}});
            BOOST_TEST(input_of(shown, "password") == "");
            BOOST_TEST(own.submit("/invite", {{"token", link}, {"action", "accept"}}).status == 303u);
        } else {
            auto shown = own.submit("/invite", {{"token", link}});
            BOOST_TEST(input_of(shown, "password").find("current-password") != std::string::npos);
            auto wrong = own.submit("/invite",
                                    {{"token", link}, {"action", "accept"}, {"password", "wrong password"}});
            BOOST_TEST(wrong.status == 422u);
            BOOST_TEST(error_at(wrong, "password") == "The password is incorrect.");
            BOOST_TEST(role_of(email) == "");
            auto done =
                own.submit("/invite", {{"token", link}, {"action", "accept"}, {"password", "long enough"}});
            BOOST_TEST(done.status == 303u);
            BOOST_TEST(own.is_signed_in());
        }
        BOOST_TEST(role_of(email) == "member");
    }
}

BOOST_FIXTURE_TEST_CASE(the_session_of_another_account_does_not_accept, invite_pages_fixture)
{
    sign_up(client, "eve@example.net");
    browser.submit("/sign-in", {{"email", "eve@example.net"}, {"password", "long enough"}});
    auto link = link_for("grace@example.net");
    auto shown = browser.submit("/invite", {{"token", link}});
    BOOST_TEST(has(shown, "eve@example.net"));
    BOOST_TEST(input_of(shown, "password") != "");
    auto refused = browser.submit("/invite", {{"token", link}, {"action", "accept"}});
    BOOST_TEST(error_at(refused, "password") == "Please fill in this field.");
    BOOST_TEST(role_of("eve@example.net") == "");
}

// A program or a proxy may add a header: a form acts for the browser all the same.
BOOST_FIXTURE_TEST_CASE(a_form_ignores_the_authorization_header, invite_pages_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    int number = 0;
    for (std::string header : {"Bearer " + eve.token, "Bearer " + token, std::string("Bearer nonsense"),
                               std::string("Basic YTpi")}) {
        auto email = "new" + std::to_string(++number) + "@example.net";
        auto link = link_for(email);
        page_client own(server.port());
        own.set("Authorization", header);
        auto done = own.submit("/invite",
                               {{"token", link}, {"action", "accept"}, {"password", "a compiler of words"}});
        BOOST_TEST(done.status == 303u, header << ": " << done.body);
        BOOST_TEST(own.is_signed_in(), header);
        BOOST_TEST(role_of(email) == "member");
        BOOST_TEST(has(own.get("/sign-out"), email));
    }
    BOOST_TEST(role_of("eve@example.net") == "");
    // An account with the invited address is proved by its own session, not by a token in the header.
    auto link = link_for("eve@example.net");
    browser.set("Authorization", "Bearer " + eve.token);
    auto refused = browser.submit("/invite", {{"token", link}, {"action", "accept"}});
    BOOST_TEST(error_at(refused, "password") != "");
    BOOST_TEST(role_of("eve@example.net") == "");
}

BOOST_FIXTURE_TEST_CASE(a_made_up_token_shows_nothing, invite_pages_fixture)
{
    for (std::string token : {"", "x", "<script>alert(1)</script>"}) {
        auto shown = browser.submit("/invite", {{"token", token}});
        BOOST_TEST((shown.status == 400u || shown.status == 422u), token);
        BOOST_TEST(error_at(shown, "token") != "", token);
        BOOST_TEST(!has(shown, "<script>alert"));
    }
}

BOOST_AUTO_TEST_SUITE_END()
