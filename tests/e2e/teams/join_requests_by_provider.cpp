// Joining by domain after an OpenID sign-in, and with LATCHKEY_EMAIL_VERIFICATION=required.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/browser.hpp"

#include <string>

using namespace e2e;

namespace {

/// Boss owns a workspace with the domain of the provider's accounts.
struct provider_join_fixture : oidc_fixture {
    explicit provider_join_fixture(support::environment more = {}) : oidc_fixture(std::move(more)) {}

    void set_join_policy(const std::string& policy)
    {
        if (boss.token.empty()) {
            post("/signup", credentials("boss@example.org"));
            BOOST_REQUIRE(verify(emailed_token("boss@example.org", verify_subject)).status == 200u);
            boss = log_in(client, "boss@example.org");
        }
        auto body = support::object({{"join_policy", policy}, {"join_domain", "example.org"}});
        BOOST_REQUIRE(client.patch(base + "/workspace", body, boss.token).status == 200u);
    }

    std::string role_of(const std::string& who)
    {
        return db.sql("SELECT role FROM memberships WHERE workspace_id = '" + boss.workspace +
                      "' AND user_id = '" + who + "'");
    }

    support::response approve(const std::string& who)
    {
        return post("/team/requests/" + who + "/approve", "", boss.token);
    }

    support::response refresh(const support::response& opened)
    {
        return post("/token/refresh", support::object({{"refresh_token", opened.text("/refresh_token")}}));
    }

    person boss;
};

const support::environment required{{"LATCHKEY_EMAIL_VERIFICATION", "required"}};

} // namespace

BOOST_AUTO_TEST_SUITE(join_requests_by_provider)

BOOST_FIXTURE_TEST_CASE(a_provider_account_joins_an_open_workspace_at_once, provider_join_fixture)
{
    set_join_policy("open");
    auto opened = sign_in();
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(opened.text("/workspace/id") == boss.workspace);
    BOOST_TEST(role_of(opened.text("/user/id")) == "member");
    BOOST_TEST(on_all_cores(server, get_request("/team", opened.text("/access_token"))) == "200");
    BOOST_TEST(db.sql("SELECT count(*) FROM workspaces") == "1");
    BOOST_TEST(sign_in().text("/workspace/id") == boss.workspace);
    BOOST_TEST(no_more_emails("boss@example.org", "asks to join"));
}

BOOST_AUTO_TEST_CASE(without_authority_a_provider_account_joins_no_workspace_before_the_link)
{
    for (bool hosted : {false, true}) {
        provider_join_fixture fixture({{"LATCHKEY_GOOGLE_AUTHORITATIVE_DOMAINS", "elsewhere.example"}});
        if (hosted) // `hd` is Google's own claim
            fixture.set_claims({{"hd", "example.org"}});
        fixture.set_join_policy("open");
        auto opened = fixture.sign_in();
        auto who = opened.text("/user/id"), token = opened.text("/access_token");
        BOOST_TEST(opened.status == 200u);
        BOOST_TEST(json_at(opened, "/workspace") == "null");
        BOOST_TEST(fixture.role_of(who) == "");
        BOOST_TEST(summary(fixture.client.get(base + "/team", token)) == "403 pending_approval");
        BOOST_TEST(fixture.no_more_emails("boss@example.org", "asks to join")); // not before the proof
        BOOST_TEST(json_at(fixture.sign_in(), "/workspace") == "null");

        // The mailbox and the session together prove it.
        auto link = fixture.emailed_token("ada@example.org", verify_subject);
        BOOST_TEST(fixture.post("/email/verify", support::object({{"token", link}}), token).status == 200u);
        BOOST_TEST(fixture.role_of(who) == "member");
    }
}

BOOST_FIXTURE_TEST_CASE(a_provider_account_is_pending_under_approval, provider_join_fixture)
{
    set_join_policy("approval");
    auto opened = sign_in();
    auto who = opened.text("/user/id");
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(json_at(opened, "/workspace") == "null");
    BOOST_TEST(summary(client.get(base + "/team", opened.text("/access_token"))) == "403 pending_approval");
    BOOST_TEST(email_to("boss@example.org", "asks to join").subject ==
               "Ada (ada@example.org) asks to join “boss's workspace”");
    BOOST_TEST(json_at(client.get(base + "/team/requests", boss.token), "/items/0/email_verified") == "true");
    BOOST_TEST(json_at(sign_in(), "/workspace") == "null"); // and no second request
    BOOST_TEST(no_more_emails("boss@example.org", "asks to join"));
    BOOST_TEST(approve(who).status == 200u);
    email_to("ada@example.org", "Welcome to");
    BOOST_TEST(refresh(opened).text("/workspace/id") == boss.workspace);
    BOOST_TEST(sign_in().text("/workspace/id") == boss.workspace);
}

BOOST_FIXTURE_TEST_CASE(a_provider_account_gets_its_own_workspace_under_closed, provider_join_fixture)
{
    set_join_policy("closed");
    auto opened = sign_in();
    BOOST_TEST(opened.text("/workspace/name") == "Ada's workspace");
    BOOST_TEST(role_of(opened.text("/user/id")) == "");
}

BOOST_FIXTURE_TEST_CASE(a_provider_sign_in_replaces_an_account_that_was_never_proved, provider_join_fixture)
{
    set_join_policy("open");
    auto planted = post("/signup", credentials("ada@example.org"));
    BOOST_REQUIRE(json_at(planted, "/workspace") == "null");
    auto opened = sign_in();
    BOOST_TEST(opened.text("/user/id") != planted.text("/user/id"));
    BOOST_TEST(opened.text("/workspace/id") == boss.workspace);
    BOOST_TEST(role_of(opened.text("/user/id")) == "member");
    BOOST_TEST(on_all_cores(server, get_request("/me", planted.text("/access_token"))) == "401 unauthorized");
    BOOST_TEST(log_in_with("ada@example.org", "long enough").status == 401u);
}

BOOST_AUTO_TEST_CASE(with_required_verification_an_account_is_pending_afterwards)
{
    provider_join_fixture fixture(required);
    fixture.set_join_policy("approval");
    auto made = fixture.post("/signup", credentials("zoe@example.org"));
    BOOST_TEST(made.status == 202u);
    auto elsewhere = fixture.post("/signup", credentials("zoe@example.net"));
    BOOST_TEST(normalized(made) == normalized(elsewhere)); // the response does not disclose the domain
    BOOST_TEST(summary(fixture.log_in_with("zoe@example.org", "long enough")) == "401 invalid_credentials");
    BOOST_TEST(fixture.no_more_emails("boss@example.org", "asks to join"));
    BOOST_REQUIRE(fixture.verify(fixture.emailed_token("zoe@example.org", verify_subject)).status == 200u);
    fixture.email_to("boss@example.org", "asks to join");
    auto opened = fixture.log_in_with("zoe@example.org", "long enough");
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(json_at(opened, "/workspace") == "null");
    BOOST_TEST(summary(fixture.client.get(base + "/team", opened.text("/access_token"))) ==
               "403 pending_approval");
    BOOST_TEST(fixture.approve(opened.text("/user/id")).status == 200u);
    BOOST_TEST(fixture.refresh(opened).text("/workspace/id") == fixture.boss.workspace);
}

BOOST_AUTO_TEST_CASE(with_required_verification_an_account_joins_by_verifying)
{
    provider_join_fixture fixture(required);
    fixture.set_join_policy("open");
    BOOST_REQUIRE(fixture.post("/signup", credentials("zoe@example.org")).status == 202u);
    BOOST_REQUIRE(fixture.verify(fixture.emailed_token("zoe@example.org", verify_subject)).status == 200u);
    auto opened = fixture.log_in_with("zoe@example.org", "long enough");
    BOOST_TEST(opened.text("/workspace/id") == fixture.boss.workspace);
    BOOST_TEST(fixture.client.get(base + "/team", opened.text("/access_token")).status == 200u);
}

BOOST_AUTO_TEST_SUITE_END()
