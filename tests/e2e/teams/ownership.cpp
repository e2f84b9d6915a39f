// POST /team/transfer-ownership.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"

#include <string>

using namespace e2e;

namespace {

struct ownership_fixture : team_fixture {
    using team_fixture::team_fixture;

    support::response transfer(const std::string& with, const std::string& to,
                               const std::string& password = "long enough")
    {
        auto body = password.empty() ? support::object({{"user_id", to}})
                                     : support::object({{"user_id", to}, {"password", password}});
        return client.post(base + "/team/transfer-ownership", body, with);
    }

    std::string owner() { return db.sql("SELECT owner_id FROM workspaces WHERE id = '" + workspace + "'"); }

    support::response set_role(const std::string& with, const std::string& member, const std::string& role)
    {
        return client.patch(base + "/team/" + member, support::object({{"role", role}}), with);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(ownership)

BOOST_FIXTURE_TEST_CASE(a_transfer_takes_effect_at_once_and_the_former_owner_stays_an_admin,
                        ownership_fixture)
{
    auto hers = mint(R"({"name":"k"})");
    for (auto& credential : {token, hers, bob.token})
        BOOST_TEST(on_all_cores(server, get_request("/me", credential)) == "200");
    auto given = transfer(token, bob.user);
    BOOST_TEST(given.status == 200u);
    BOOST_TEST(member_names(given) == "id name owner_id created_at");
    BOOST_TEST(given.text("/id") == workspace);
    BOOST_TEST(given.text("/owner_id") == bob.user);
    BOOST_TEST(owner() == bob.user);

    BOOST_TEST(on_all_cores(server, get_request("/audit", bob.token)) ==
               "200"); // with an admin's permissions
    BOOST_TEST(client.get(base + "/me", token).text("/role") == "admin");
    BOOST_TEST(on_all_cores(server, get_request("/audit", hers)) == "200");
    auto list = client.get(base + "/team", token);
    BOOST_TEST(join(item_texts(list, "role")) == "admin manager admin");
    BOOST_TEST(json_at(list, "/items/0/is_owner") == "false");
    BOOST_TEST(json_at(list, "/items/2/is_owner") == "true");
    auto again = post_request("/team/transfer-ownership",
                              support::object({{"user_id", mel.user}, {"password", "long enough"}}), token);
    BOOST_TEST(on_all_cores(server, again) == "403 forbidden");
    BOOST_TEST(summary(set_role(token, bob.user, "member")) == "409 owner_protected");
    BOOST_TEST(summary(client.del(base + "/team/" + bob.user, token)) == "409 owner_protected");
}

BOOST_FIXTURE_TEST_CASE(the_former_owner_may_be_demoted_and_may_leave, ownership_fixture)
{
    BOOST_REQUIRE(transfer(token, bob.user).status == 200u);
    BOOST_TEST(set_role(bob.token, user, "member").text("/role") == "member");
    BOOST_TEST(on_all_cores(server, get_request("/audit", token)) == "403 forbidden_scope");
    BOOST_TEST(client.del(base + "/team/" + user, token).status == 204u);
    BOOST_TEST(on_all_cores(server, get_request("/me", token)) == "401 unauthorized");
    BOOST_TEST(owner() == bob.user);
}

BOOST_FIXTURE_TEST_CASE(ownership_can_be_transferred_on_and_back, ownership_fixture)
{
    BOOST_TEST(transfer(token, bob.user).status == 200u);
    BOOST_TEST(transfer(bob.token, mel.user).status == 200u);
    BOOST_TEST(transfer(mel.token, user).status == 200u);
    BOOST_TEST(owner() == user);
    BOOST_TEST(join(item_texts(client.get(base + "/team", token), "role")) == "admin admin admin");
}

BOOST_FIXTURE_TEST_CASE(a_transfer_requires_the_password, ownership_fixture)
{
    BOOST_TEST(summary(transfer(token, bob.user, "not her own")) == "403 invalid_credentials");
    BOOST_TEST(validation_errors(transfer(token, bob.user, "")) == "body.password missing");
    BOOST_TEST(validation_errors(client.post(base + "/team/transfer-ownership",
                                             R"({"password":7,"role":"admin"})", token)) ==
               "body.password string_type, body.role extra_forbidden, body.user_id missing");
    BOOST_TEST(validation_errors(transfer(token, "bob")) == "body.user_id uuid_parsing");
    BOOST_TEST(owner() == user);
    // An unrestricted API key can, too: the password is the proof.
    BOOST_TEST(transfer(mint(R"({"name":"k"})"), bob.user).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(only_the_owner_can_transfer, ownership_fixture)
{
    BOOST_REQUIRE(set_role(token, mel.user, "admin").status == 200u);
    BOOST_TEST(summary(transfer(mel.token, mel.user)) == "403 forbidden");
    BOOST_TEST(summary(transfer(mel.token, bob.user, "not her own")) == "403 forbidden");
    BOOST_TEST(summary(transfer(bob.token, bob.user)) == "403 forbidden_scope");
    BOOST_TEST(summary(transfer(mint(R"({"name":"w","owner":"workspace","role":"admin"})"), bob.user)) ==
               "403 forbidden");
    BOOST_TEST(summary(transfer(mint(R"({"name":"k","scopes":["team:roles","settings:manage"]})"),
                                bob.user)) == "403 forbidden_scope");
    BOOST_TEST(summary(transfer("", bob.user)) == "401 unauthorized");
    BOOST_TEST(owner() == user);
}

BOOST_FIXTURE_TEST_CASE(the_new_owner_is_another_active_member, ownership_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    BOOST_TEST(summary(transfer(token, user)) == "409 conflict");
    BOOST_TEST(summary(transfer(token, eve.user)) == "404 not_found");
    BOOST_TEST(summary(transfer(token, workspace)) == "404 not_found");
    db.sql("UPDATE users SET disabled_at = now() WHERE id = '" + bob.user + "'");
    BOOST_TEST(summary(transfer(token, bob.user)) == "404 not_found");
    BOOST_TEST(owner() == user);
    BOOST_TEST(db.sql("SELECT role FROM memberships WHERE workspace_id = '" + workspace +
                      "' AND user_id = '" + bob.user + "'") == "member");
    BOOST_TEST(client.get(base + "/me", eve.token).text("/workspace/owner_id") == eve.user);
}

BOOST_FIXTURE_TEST_CASE(an_owner_without_a_password_needs_a_recent_login, ownership_fixture)
{
    db.sql("UPDATE users SET password_hash = NULL WHERE id = '" + user +
           "'; UPDATE sessions SET created_at = now() - interval '6 minutes'");
    BOOST_TEST(summary(transfer(token, bob.user, "")) == "403 reauthentication_required");
    BOOST_TEST(summary(transfer(mint(R"({"name":"k"})"), bob.user)) == "403 reauthentication_required");
    db.sql("UPDATE sessions SET created_at = now() - interval '4 minutes'");
    BOOST_TEST(transfer(token, bob.user, "").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(the_former_owner_can_delete_the_account, ownership_fixture)
{
    auto leave = [&](const std::string& with) {
        return client.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})", with);
    };
    BOOST_TEST(summary(leave(token)) == "409 owner_protected");
    BOOST_REQUIRE(transfer(token, bob.user).status == 200u);
    BOOST_TEST(leave(token).status == 204u);
    BOOST_TEST(summary(leave(bob.token)) == "409 owner_protected");
    BOOST_TEST(owner() == bob.user);
    BOOST_TEST(on_all_cores(server, get_request("/team", mel.token)) == "200");
}

BOOST_AUTO_TEST_CASE(failed_passwords_are_limited_for_the_session)
{
    ownership_fixture fixture({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(fixture.transfer(fixture.token, fixture.bob.user, "not her own").status == 403u);
    BOOST_TEST(summary(fixture.transfer(fixture.token, fixture.bob.user)) == "429 rate_limited");
    BOOST_TEST(fixture.owner() == fixture.user);
    auto other = log_in(fixture.client, "ada@example.com").token;
    BOOST_TEST(fixture.transfer(other, fixture.bob.user).status == 200u);
}

BOOST_AUTO_TEST_SUITE_END()
