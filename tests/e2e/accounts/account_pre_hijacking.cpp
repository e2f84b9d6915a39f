// Account pre-hijacking: an attacker signs up with an address before its owner accepts an invite to it.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <string>

using namespace e2e;

namespace {

/// An attacker has signed up with Zoe's address and created every kind of credential.
struct pre_hijacking_fixture : invite_fixture {
    using invite_fixture::invite_fixture;

    std::string mint_for(const std::string& body)
    {
        auto made = post("/api-keys", body, attacker.token);
        BOOST_REQUIRE_MESSAGE(made.status == 201u, made.body);
        return made.text("/secret");
    }

    std::string status_of(const std::string& credential)
    {
        return on_all_cores(server, get_request("/me", credential));
    }

    /// An invite from before unverified accounts were refused to make any.
    std::string invite_accomplice()
    {
        verify_address("zoe@example.org");
        auto id = invite_one("accomplice@example.org", "admin", attacker.token);
        unverify_address(db, "zoe@example.org");
        return id;
    }

    unsigned log_in_with(const std::string& password)
    {
        return client.post(base + "/login", credentials("zoe@example.org", password)).status;
    }

    person attacker = sign_up(client, "zoe@example.org");
    std::string key = mint_for(R"({"name":"k"})");
    std::string workspace_key = mint_for(R"({"name":"w","owner":"workspace","role":"admin"})");
    std::string verification = emailed_token("zoe@example.org", "Confirm your email address");
    std::string accomplice = invite_accomplice();
    std::string accomplice_token = emailed_token("accomplice@example.org");
    std::string invitation = invitation_token("zoe@example.org", "manager");
};

} // namespace

BOOST_AUTO_TEST_SUITE(account_pre_hijacking)

BOOST_FIXTURE_TEST_CASE(accepting_without_the_password_makes_a_new_account, pre_hijacking_fixture)
{
    for (auto& credential : {attacker.token, key, workspace_key})
        BOOST_REQUIRE(status_of(credential) == "200");
    BOOST_TEST(validation_errors(accept(invitation)) == "body.password missing");
    BOOST_TEST(summary(accept_with(invitation, "password")) == "422 weak_password");
    BOOST_TEST(status_of(attacker.token) == "200"); // the address is not proved yet

    auto accepted = post(
        "/invites/accept",
        support::object({{"token", invitation}, {"password", "chosen by herself"}, {"name", "Zoe herself"}}));
    BOOST_TEST(accepted.status == 200u);
    BOOST_TEST(accepted.text("/user/id") != attacker.user);
    BOOST_TEST(accepted.text("/user/name") == "Zoe herself");
    BOOST_TEST(json_at(accepted, "/user/email_verified") == "true");
    BOOST_TEST(accepted.text("/workspace/id") == workspace);
    BOOST_TEST(accepted.text("/membership/role") == "manager");
    for (auto& credential : {attacker.token, key, workspace_key})
        BOOST_TEST(status_of(credential) == "401 unauthorized");
    BOOST_TEST(post("/token/refresh", support::object({{"refresh_token", attacker.refresh_token}})).status ==
               401u);
    BOOST_TEST(log_in_with("long enough") == 401u);
    BOOST_TEST(log_in_with("chosen by herself") == 200u);
    BOOST_TEST(invite_error(preview(accomplice_token)) == "400 invalid_token cancelled");
    BOOST_TEST(summary(post("/email/verify", support::object({{"token", verification}}))) ==
               "400 invalid_token");
    BOOST_TEST(status_of(accepted.text("/access_token")) == "200");
    BOOST_TEST(role_of(accepted.text("/user/id")) == "manager");
    BOOST_TEST(role_of(attacker.user) == "");
}

BOOST_FIXTURE_TEST_CASE(accepting_with_the_password_keeps_credentials_and_verifies_the_address,
                        pre_hijacking_fixture)
{
    auto accepted = accept_with(invitation, "long enough");
    BOOST_TEST(accepted.status == 200u);
    BOOST_TEST(accepted.text("/user/id") == attacker.user);
    BOOST_TEST(json_at(accepted, "/user/email_verified") == "true");
    for (auto& credential : {attacker.token, key, workspace_key, accepted.text("/access_token")})
        BOOST_TEST(status_of(credential) == "200");
    BOOST_TEST(log_in_with("long enough") == 200u);
    BOOST_TEST(preview(accomplice_token).status == 200u);
    BOOST_TEST(role_of(attacker.user) == "manager");
}

BOOST_FIXTURE_TEST_CASE(accepting_with_a_session_keeps_credentials, pre_hijacking_fixture)
{
    auto accepted = accept(invitation, attacker.token);
    BOOST_TEST(accepted.status == 200u);
    BOOST_TEST(json_at(accepted, "/user/email_verified") == "true");
    BOOST_TEST(json_at(accepted, "/refresh_token") == "");
    for (auto& credential : {attacker.token, key, workspace_key, accepted.text("/access_token")})
        BOOST_TEST(status_of(credential) == "200");
    BOOST_TEST(log_in_with("long enough") == 200u);
}

BOOST_AUTO_TEST_CASE(where_verification_is_required_the_invite_link_verifies)
{
    invite_fixture open;
    sign_up(open.client, "una@example.org");
    auto uma = sign_up(open.client, "uma@example.org");
    auto of_una = open.invitation_token("una@example.org"), of_zoe = open.invitation_token("zoe@example.org"),
         of_uma = open.invitation_token("uma@example.org");
    // The accounts were created before this server began to require verification.
    support::running_server strict(open.db.conninfo(), {{"LATCHKEY_EMAIL_VERIFICATION", "required"},
                                                        {"LATCHKEY_MASTER_KEY", open.server.master_key()}});
    support::http_client client(strict.port());
    auto accept = [&](const std::string& invitation, const std::string& with) {
        auto body = support::object({{"token", invitation}, {"password", "long enough"}});
        return client.post(base + "/invites/accept", body, with);
    };
    BOOST_REQUIRE(summary(client.get(base + "/workspaces", uma.token)) == "403 email_not_verified");
    for (auto& accepted : {accept(of_una, ""), accept(of_zoe, ""), accept(of_uma, uma.token)}) {
        BOOST_TEST(accepted.status == 200u);
        BOOST_TEST(client.get(base + "/team", accepted.text("/access_token")).status == 200u);
    }
}

BOOST_AUTO_TEST_SUITE_END()
