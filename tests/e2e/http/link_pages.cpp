// The pages behind mailed links, used in a browser: no token reaches a URL or a referrer that is sent.
#include "tests/e2e/support/browser.hpp"
#include "tests/e2e/support/invite_fixture.hpp"
#include "tests/e2e/support/page_client.hpp"
#include "tests/support/reserved_port.hpp"
#include "tests/support/third_party.hpp"

#include <boost/json/array.hpp>

#include <vector>

using namespace e2e;

namespace {

/// Open the links in a browser, enter the password if there is one, and press a button of the last page.
boost::json::object open_links(const std::vector<std::string>& links,
                               const std::string& button = "button.primary", const std::string& password = {})
{
    boost::json::array list(links.begin(), links.end());
    support::third_party_server browser(
        "open-links", {{"links", std::move(list)}, {"button", button}, {"password", password}});
    auto report = browser.start();
    for (auto& one : report.at("errors").as_array())
        BOOST_ERROR(one.as_string());
    BOOST_TEST(std::string(report.at("address").as_string()).find("token") == std::string::npos);
    return report;
}

bool sent_a_token(const boost::json::object& report)
{
    for (auto& one : report.at("sent").as_array())
        if (std::string(one.as_string()).find("token=") != std::string::npos)
            return true;
    return false;
}

struct links_fixture : mail_fixture {
    links_fixture()
    {
        ada = sign_up(client, "ada@example.com");
        BOOST_REQUIRE(verify(emailed_token("ada@example.com", verify_subject)).status == 200u);
    }

    /// The link with the server's port, which is not known when the public URL is set.
    std::string reachable(std::string link) const
    {
        const std::string host = "http://127.0.0.1:0/";
        BOOST_REQUIRE_MESSAGE(link.starts_with(host), link);
        return "http://127.0.0.1:" + std::to_string(server.port()) + link.substr(host.size() - 1);
    }

    std::string link_to(const std::string& email, std::string_view subject)
    {
        return reachable(support::link_in(email_to(email, subject)));
    }

    void change_email(const std::string& to)
    {
        auto asked = post("/email/change", support::object({{"new_email", to}, {"password", "long enough"}}),
                          ada.token);
        BOOST_REQUIRE_MESSAGE(asked.status == 202u, asked.body);
    }

    person ada;
};

/// A server that a browser reaches at its public URL, with a provider for the pages.
struct provider_pages_fixture : oidc_fixture {
    explicit provider_pages_fixture(support::environment more = {}) : oidc_fixture(at_port(std::move(more)))
    {
        post("/signup", credentials("boss@example.net"));
        BOOST_REQUIRE(verify(emailed_token("boss@example.net", verify_subject)).status == 200u);
        boss = log_in(client, "boss@example.net");
    }

    static support::environment at_port(support::environment more)
    {
        auto address = "127.0.0.1:" + std::to_string(support::reserve_port());
        more.emplace_back("LATCHKEY_LISTEN", address);
        more.emplace_back("LATCHKEY_PUBLIC_URL", "http://" + address);
        return more;
    }

    /// The link of the email in which the boss invites an address.
    std::string invite(const std::string& email)
    {
        auto made = post("/team/invites", invites_body({{email, "manager"}}), boss.token);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return support::link_in(email_to(email, invite_subject));
    }

    std::string site() const { return "http://127.0.0.1:" + std::to_string(server.port()); }

    std::string role_of(const std::string& email)
    {
        return db.sql(
            "SELECT role FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.workspace_id = '" +
            boss.workspace + "' AND u.email = '" + email + "'");
    }

    person boss;
};

const std::string provider_button = "button[value=provider]";

} // namespace

BOOST_AUTO_TEST_SUITE(link_pages)

BOOST_FIXTURE_TEST_CASE(a_second_link_in_the_same_tab_replaces_the_first, links_fixture)
{
    change_email("first@example.com");
    auto first = link_to("first@example.com", "Confirm your new email address");
    change_email("second@example.com");
    auto second = link_to("second@example.com", "Confirm your new email address");
    auto report = open_links({first, second}, "button.primary", "long enough");
    BOOST_TEST(report.at("outcome").as_string() == "Your email address has been changed.");
    BOOST_TEST(!sent_a_token(report));
    BOOST_TEST(client.get(base + "/me", ada.token).text("/user/email") == "second@example.com");
    BOOST_TEST(server.stop() == 0); // completes the log
    for (auto& link : {first, second})
        BOOST_TEST(server.log().find(link.substr(link.find('=') + 1)) == std::string::npos);
}

BOOST_FIXTURE_TEST_CASE(both_unsubscribe_links_open_the_page, links_fixture)
{
    for (bool by_header : {false, true}) {
        client.patch(base + "/me/notifications", R"({"key_minted":{"email":true}})", ada.token);
        client.post(base + "/api-keys", R"({"name":"k"})", ada.token);
        auto notice = email_to("ada@example.com", "A new API key");
        auto header = notice.headers.at("list-unsubscribe");
        auto link = by_header ? header.substr(1, header.size() - 2) : support::link_in(notice);
        BOOST_TEST((link.find('#') != std::string::npos) == !by_header, link);
        BOOST_TEST(open_links({reachable(link)}).at("outcome").as_string() == "You have been unsubscribed.");
        BOOST_TEST(json_at(client.get(base + "/me/notifications", ada.token), "/key_minted/email") ==
                   "false");
    }
}

BOOST_AUTO_TEST_CASE(an_invite_is_accepted_after_a_sign_in_with_the_provider)
{
    // Where the provider is authoritative for the address and where it is not: the invite proves the mailbox.
    for (auto domains : {"*", "elsewhere.example"}) {
        provider_pages_fixture fixture({{"LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS", domains}});
        auto report = open_links({fixture.invite("ada@example.org")}, provider_button);
        BOOST_TEST(report.at("outcome").as_string() == "You are now a member of the workspace.");
        BOOST_TEST(!sent_a_token(report));
        BOOST_TEST(fixture.role_of("ada@example.org") == "manager");
        BOOST_TEST(fixture.db.sql("SELECT is_proved(u) FROM users u WHERE email = 'ada@example.org'") == "t");
        auto code = query_parameter(fixture.consent(), "code"); // and the person can sign in again
        BOOST_TEST(fixture.exchange(code).text("/user/email") == "ada@example.org");
    }
}

BOOST_AUTO_TEST_CASE(an_invite_page_shows_why_a_sign_in_with_the_provider_fails)
{
    provider_pages_fixture fixture({{"LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS", "elsewhere.example"}});
    sign_up(fixture.client, "ada@example.org");
    auto link = fixture.invite("ada@example.org");
    auto outcome = [&] { return std::string(open_links({link}, provider_button).at("outcome").as_string()); };
    BOOST_TEST(outcome().starts_with("An account with this email address exists"));
    fixture.set_claims({{"email_verified", false}});
    BOOST_TEST(outcome() == "The sign-in was not completed.");
    fixture.set_claims({{"email_verified", true}, {"email", "other@example.org"}});
    BOOST_TEST(outcome() == "The invite is for another email address than this account's.");
    BOOST_TEST(fixture.role_of("ada@example.org") == "");
    BOOST_TEST(fixture.role_of("other@example.org") == "");
}

BOOST_AUTO_TEST_CASE(a_redirect_that_the_page_has_not_asked_for_does_nothing)
{
    provider_pages_fixture fixture;
    sign_up(fixture.client, "zoe@example.net");
    auto link = support::link_in(fixture.email_to("zoe@example.net", verify_subject));
    fixture.redirect_uri = link.substr(0, link.find("/verify")) + "/sign-in/google/done";
    auto to = fixture.consent(); // an attacker's own sign-in, as a link
    BOOST_TEST(!query_parameter(to, "code").empty());
    page_client victim(fixture.server.port());
    for (bool has_begun_one : {false, true}) {
        if (has_begun_one)
            BOOST_TEST(victim.get("/sign-in/google").status == 302u);
        auto answer = victim.get(request_target(to));
        BOOST_TEST(answer.status == 400u);
        BOOST_TEST(has(answer, "The sign-in was not completed."));
        BOOST_TEST(!victim.is_signed_in());
    }
    BOOST_TEST(open_links({link}, "button.primary", "long enough").at("outcome").as_string() ==
               "Your email address has been confirmed.");
    BOOST_TEST(fixture.exchange(query_parameter(to, "code")).status == 200u); // the code is unused
}

BOOST_AUTO_TEST_CASE(a_person_signs_in_through_the_provider)
{
    provider_pages_fixture fixture;
    auto site = fixture.site();
    auto report = open_links({site + "/sign-in?return_to=%2Fdone%3Fwhat%3Dsigned-in"}, "a.button");
    BOOST_TEST(report.at("outcome").as_string() == "You are signed in.");
    BOOST_TEST(fixture.db.sql("SELECT count(*) FROM sessions s JOIN users u ON u.id = s.user_id WHERE "
                              "u.email = 'ada@example.org' AND cookie_digest IS NOT NULL") == "1");
    fixture.set_claims({{"email_verified", false}, {"sub", "another"}});
    report = open_links({site + "/sign-up"}, "a.button");
    BOOST_TEST(report.at("outcome").as_string() == "The sign-in was not completed.");
}

BOOST_AUTO_TEST_CASE(the_link_of_a_sign_up_through_the_provider_is_proved_by_it)
{
    for (auto mode : {"optional", "required"}) {
        provider_pages_fixture fixture({{"LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS", "elsewhere.example"},
                                        {"LATCHKEY_EMAIL_VERIFICATION", mode}});
        fixture.sign_in();
        auto link = support::link_in(fixture.email_to("ada@example.org", verify_subject));
        BOOST_TEST(open_links({link}, provider_button).at("outcome").as_string() ==
                   "Your email address has been confirmed.");
        BOOST_TEST(fixture.db.sql("SELECT is_proved(u) FROM users u WHERE email = 'ada@example.org'") == "t");
    }
}

BOOST_AUTO_TEST_CASE(pages_name_the_provider_only_if_there_is_one)
{
    links_fixture without;
    oidc_fixture with;
    for (std::string page : {"/sign-in", "/sign-up", "/verify", "/email-change", "/invite", "/reset",
                             "/unsubscribe", "/claim", "/forgot"}) {
        BOOST_TEST(without.client.get(page).body.find("localhost") == std::string::npos, page);
        auto shown = with.client.get(page).body;
        bool has_button = page.starts_with("/sign-") || page == "/verify" || page == "/email-change";
        BOOST_TEST((shown.find(" localhost</") != std::string::npos) == has_button, page);
        auto policy = with.client.get(page).header("Content-Security-Policy");
        BOOST_TEST(policy == without.client.get(page).header("Content-Security-Policy"), page);
        BOOST_TEST(policy.find("unsafe") == std::string::npos);
    }
}

BOOST_AUTO_TEST_SUITE_END()
