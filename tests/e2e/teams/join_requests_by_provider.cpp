// Joining by domain for who comes through a provider, and where addresses have to be verified first.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/browser.hpp"

#include <string>

using namespace flows;

namespace {

/// Boss owns a workspace of the domain whose people come through the provider.
struct awaited : with_provider {
    explicit awaited(support::environment more = {}) : with_provider(std::move(more)) {}

    void set_up(const std::string& policy)
    {
        if (boss.token.empty()) {
            post("/signup", credentials("boss@example.org"));
            BOOST_REQUIRE(verify(token_to("boss@example.org", verify_subject)).status == 200u);
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

BOOST_FIXTURE_TEST_CASE(who_comes_through_the_provider_joins_an_open_workspace_at_once, awaited)
{
    set_up("open");
    auto opened = sign_in();
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(opened.text("/workspace/id") == boss.workspace);
    BOOST_TEST(role_of(opened.text("/user/id")) == "member");
    BOOST_TEST(everywhere(server, to_get("/team", opened.text("/access_token"))) == "200");
    BOOST_TEST(db.sql("SELECT count(*) FROM workspaces") == "1");
    BOOST_TEST(sign_in().text("/workspace/id") == boss.workspace);
    BOOST_TEST(is_silent("boss@example.org", "asks to join"));
}

BOOST_FIXTURE_TEST_CASE(or_waits_to_be_let_in, awaited)
{
    set_up("approval");
    auto opened = sign_in();
    auto who = opened.text("/user/id");
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(at(opened, "/workspace") == "null");
    BOOST_TEST(verdict(client.get(base + "/team", opened.text("/access_token"))) == "403 pending_approval");
    BOOST_TEST(letter_to("boss@example.org", "asks to join").subject ==
               "Ada (ada@example.org) asks to join “boss's workspace”");
    BOOST_TEST(at(client.get(base + "/team/requests", boss.token), "/items/0/email_verified") == "true");
    BOOST_TEST(at(sign_in(), "/workspace") == "null"); // no second request either
    BOOST_TEST(is_silent("boss@example.org", "asks to join"));
    BOOST_TEST(approve(who).status == 200u);
    letter_to("ada@example.org", "Welcome to");
    BOOST_TEST(refresh(opened).text("/workspace/id") == boss.workspace);
    BOOST_TEST(sign_in().text("/workspace/id") == boss.workspace);
}

BOOST_FIXTURE_TEST_CASE(where_it_is_closed_they_begin_on_their_own, awaited)
{
    set_up("closed");
    auto opened = sign_in();
    BOOST_TEST(opened.text("/workspace/name") == "Ada's workspace");
    BOOST_TEST(role_of(opened.text("/user/id")) == "");
}

BOOST_FIXTURE_TEST_CASE(the_provider_proves_the_address_of_who_signed_up_before, awaited)
{
    set_up("open");
    auto planted = post("/signup", credentials("ada@example.org"));
    BOOST_REQUIRE(at(planted, "/workspace") == "null");
    auto opened = sign_in();
    BOOST_TEST(opened.text("/user/id") == planted.text("/user/id"));
    BOOST_TEST(opened.text("/workspace/id") == boss.workspace);
    BOOST_TEST(role_of(opened.text("/user/id")) == "member");
    BOOST_TEST(everywhere(server, to_get("/me", planted.text("/access_token"))) == "401 unauthorized");
    BOOST_TEST(log_in_with("ada@example.org", "long enough").status == 401u);
}

BOOST_AUTO_TEST_CASE(where_addresses_have_to_be_verified_they_wait_after_that)
{
    awaited world(required);
    world.set_up("approval");
    auto made = world.post("/signup", credentials("zoe@example.org"));
    BOOST_TEST(made.status == 202u);
    auto elsewhere = world.post("/signup", credentials("zoe@example.net"));
    BOOST_TEST(comparable(made) == comparable(elsewhere)); // nobody learns whose domain that is
    BOOST_TEST(verdict(world.log_in_with("zoe@example.org", "long enough")) == "403 email_not_verified");
    BOOST_TEST(world.is_silent("boss@example.org", "asks to join"));
    BOOST_REQUIRE(world.verify(world.token_to("zoe@example.org", verify_subject)).status == 200u);
    world.letter_to("boss@example.org", "asks to join");
    auto opened = world.log_in_with("zoe@example.org", "long enough");
    BOOST_TEST(opened.status == 200u);
    BOOST_TEST(at(opened, "/workspace") == "null");
    BOOST_TEST(verdict(world.client.get(base + "/team", opened.text("/access_token"))) ==
               "403 pending_approval");
    BOOST_TEST(world.approve(opened.text("/user/id")).status == 200u);
    BOOST_TEST(world.refresh(opened).text("/workspace/id") == world.boss.workspace);
}

BOOST_AUTO_TEST_CASE(or_are_in_by_that)
{
    awaited world(required);
    world.set_up("open");
    BOOST_REQUIRE(world.post("/signup", credentials("zoe@example.org")).status == 202u);
    BOOST_REQUIRE(world.verify(world.token_to("zoe@example.org", verify_subject)).status == 200u);
    auto opened = world.log_in_with("zoe@example.org", "long enough");
    BOOST_TEST(opened.text("/workspace/id") == world.boss.workspace);
    BOOST_TEST(world.client.get(base + "/team", opened.text("/access_token")).status == 200u);
}

BOOST_AUTO_TEST_SUITE_END()
