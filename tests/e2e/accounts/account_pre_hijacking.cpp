// Invites to an address that somebody has signed up with and nobody has proved to have.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <string>

using namespace flows;

namespace {

/// Somebody has signed up as Zoe, and made whatever they could there.
struct planted : inviting {
    using inviting::inviting;

    std::string mint_for(const std::string& body)
    {
        auto made = post("/api-keys", body, thief.token);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/secret");
    }

    std::string answers_to(const std::string& credential)
    {
        return everywhere(server, to_get("/me", credential));
    }

    unsigned log_in_with(const std::string& password)
    {
        return client.post(base + "/login", credentials("zoe@example.org", password)).status;
    }

    person thief = sign_up(client, "zoe@example.org");
    std::string key = mint_for(R"({"name":"k"})");
    std::string nobodys = mint_for(R"({"name":"w","owner":"workspace","role":"admin"})");
    std::string verifying = token_to("zoe@example.org", "Confirm your e-mail address");
    std::string accomplice = invite_one("accomplice@example.org", "admin", thief.token);
    std::string accomplices = token_to("accomplice@example.org");
    std::string invitation = invitation_of("zoe@example.org", "manager");
};

} // namespace

BOOST_AUTO_TEST_SUITE(account_pre_hijacking)

BOOST_FIXTURE_TEST_CASE(whoever_has_the_mail_but_not_the_password_takes_it_over_and_all_else_dies, planted)
{
    for (auto& credential : {thief.token, key, nobodys})
        BOOST_REQUIRE(answers_to(credential) == "200");
    BOOST_TEST(faults(accept(invitation)) == "body.password missing");
    BOOST_TEST(verdict(accept_with(invitation, "password")) == "422 weak_password");
    BOOST_TEST(answers_to(thief.token) == "200"); // nothing has been proved yet

    auto came = post(
        "/invites/accept",
        support::object({{"token", invitation}, {"password", "chosen by herself"}, {"name", "Zoe herself"}}));
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(came.text("/user/id") == thief.user);
    BOOST_TEST(came.text("/user/name") == "Zoe herself");
    BOOST_TEST(at(came, "/user/email_verified") == "true");
    BOOST_TEST(came.text("/workspace/id") == workspace);
    BOOST_TEST(came.text("/membership/role") == "manager");
    for (auto& credential : {thief.token, key, nobodys})
        BOOST_TEST(answers_to(credential) == "401 unauthorized");
    BOOST_TEST(post("/token/refresh", support::object({{"refresh_token", thief.refresh_token}})).status ==
               401u);
    BOOST_TEST(log_in_with("long enough") == 401u);
    BOOST_TEST(log_in_with("chosen by herself") == 200u);
    BOOST_TEST(end_of(preview(accomplices)) == "400 invalid_token cancelled");
    BOOST_TEST(verdict(post("/email/verify", support::object({{"token", verifying}}))) ==
               "400 invalid_token");
    BOOST_TEST(answers_to(came.text("/access_token")) == "200");
    BOOST_TEST(role_of(thief.user) == "manager");
}

BOOST_FIXTURE_TEST_CASE(with_its_password_all_is_kept_and_the_address_is_verified, planted)
{
    auto came = accept_with(invitation, "long enough");
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(came.text("/user/id") == thief.user);
    BOOST_TEST(at(came, "/user/email_verified") == "true");
    for (auto& credential : {thief.token, key, nobodys, came.text("/access_token")})
        BOOST_TEST(answers_to(credential) == "200");
    BOOST_TEST(log_in_with("long enough") == 200u);
    BOOST_TEST(preview(accomplices).status == 200u);
    BOOST_TEST(role_of(thief.user) == "manager");
}

BOOST_FIXTURE_TEST_CASE(with_its_session_all_is_kept_too, planted)
{
    auto came = accept(invitation, thief.token);
    BOOST_TEST(came.status == 200u);
    BOOST_TEST(at(came, "/user/email_verified") == "true");
    BOOST_TEST(at(came, "/refresh_token") == "");
    for (auto& credential : {thief.token, key, nobodys, came.text("/access_token")})
        BOOST_TEST(answers_to(credential) == "200");
    BOOST_TEST(log_in_with("long enough") == 200u);
}

BOOST_AUTO_TEST_CASE(where_addresses_have_to_be_verified_the_link_does_it)
{
    inviting open;
    sign_up(open.client, "una@example.org");
    auto uma = sign_up(open.client, "uma@example.org");
    auto of_una = open.invitation_of("una@example.org"), of_zoe = open.invitation_of("zoe@example.org"),
         of_uma = open.invitation_of("uma@example.org");
    // Those who have signed up could not have signed in where it is required: from now on it is.
    support::running_server strict(open.db.conninfo(), {{"LATCHKEY_EMAIL_VERIFICATION", "required"},
                                                        {"LATCHKEY_MASTER_KEY", open.server.master_key()}});
    support::http_client client(strict.port());
    auto accept = [&](const std::string& invitation, const std::string& with) {
        auto body = support::object({{"token", invitation}, {"password", "long enough"}});
        return client.post(base + "/invites/accept", body, with);
    };
    BOOST_REQUIRE(verdict(client.get(base + "/workspaces", uma.token)) == "403 email_not_verified");
    for (auto& came : {accept(of_una, ""), accept(of_zoe, ""), accept(of_uma, uma.token)}) {
        BOOST_TEST(came.status == 200u);
        BOOST_TEST(client.get(base + "/team", came.text("/access_token")).status == 200u);
    }
}

BOOST_AUTO_TEST_SUITE_END()
