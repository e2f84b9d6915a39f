// A workspace changes hands.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"

#include <string>

using namespace flows;

namespace {

struct handed_over : team {
    using team::team;

    support::response transfer(const std::string& with, const std::string& to,
                               const std::string& password = "long enough")
    {
        auto body = password.empty() ? support::object({{"user_id", to}})
                                     : support::object({{"user_id", to}, {"password", password}});
        return client.post(base + "/team/transfer-ownership", body, with);
    }

    std::string owner() { return db.sql("SELECT owner_id FROM workspaces WHERE id = '" + workspace + "'"); }

    support::response set_role(const std::string& with, const std::string& whom, const std::string& role)
    {
        return client.patch(base + "/team/" + whom, support::object({{"role", role}}), with);
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(ownership)

BOOST_FIXTURE_TEST_CASE(the_heir_owns_it_from_the_next_request_on_and_the_giver_stays_an_admin, handed_over)
{
    auto hers = mint(R"({"name":"k"})");
    for (auto& credential : {token, hers, bob.token})
        BOOST_TEST(everywhere(server, to_get("/me", credential)) == "200");
    auto given = transfer(token, bob.user);
    BOOST_TEST(given.status == 200u);
    BOOST_TEST(members(given) == "id name owner_id created_at");
    BOOST_TEST(given.text("/id") == workspace);
    BOOST_TEST(given.text("/owner_id") == bob.user);
    BOOST_TEST(owner() == bob.user);

    BOOST_TEST(everywhere(server, to_get("/audit", bob.token)) == "200"); // as an admin can
    BOOST_TEST(client.get(base + "/me", token).text("/role") == "admin");
    BOOST_TEST(everywhere(server, to_get("/audit", hers)) == "200");
    auto list = client.get(base + "/team", token);
    BOOST_TEST(join(texts(list, "role")) == "admin manager admin");
    BOOST_TEST(at(list, "/items/0/is_owner") == "false");
    BOOST_TEST(at(list, "/items/2/is_owner") == "true");
    auto again = to_post("/team/transfer-ownership",
                         support::object({{"user_id", mel.user}, {"password", "long enough"}}), token);
    BOOST_TEST(everywhere(server, again) == "403 forbidden");
    BOOST_TEST(verdict(set_role(token, bob.user, "member")) == "409 owner_protected");
    BOOST_TEST(verdict(client.del(base + "/team/" + bob.user, token)) == "409 owner_protected");
}

BOOST_FIXTURE_TEST_CASE(the_former_owner_may_be_demoted_and_may_leave, handed_over)
{
    BOOST_REQUIRE(transfer(token, bob.user).status == 200u);
    BOOST_TEST(set_role(bob.token, user, "member").text("/role") == "member");
    BOOST_TEST(everywhere(server, to_get("/audit", token)) == "403 forbidden_scope");
    BOOST_TEST(client.del(base + "/team/" + user, token).status == 204u);
    BOOST_TEST(everywhere(server, to_get("/me", token)) == "401 unauthorized");
    BOOST_TEST(owner() == bob.user);
}

BOOST_FIXTURE_TEST_CASE(it_goes_from_hand_to_hand_and_back, handed_over)
{
    BOOST_TEST(transfer(token, bob.user).status == 200u);
    BOOST_TEST(transfer(bob.token, mel.user).status == 200u);
    BOOST_TEST(transfer(mel.token, user).status == 200u);
    BOOST_TEST(owner() == user);
    BOOST_TEST(join(texts(client.get(base + "/team", token), "role")) == "admin admin admin");
}

BOOST_FIXTURE_TEST_CASE(it_takes_the_password, handed_over)
{
    BOOST_TEST(verdict(transfer(token, bob.user, "not her own")) == "403 invalid_credentials");
    BOOST_TEST(faults(transfer(token, bob.user, "")) == "body.password missing");
    BOOST_TEST(
        faults(client.post(base + "/team/transfer-ownership", R"({"password":7,"role":"admin"})", token)) ==
        "body.password string_type, body.role extra_forbidden, body.user_id missing");
    BOOST_TEST(faults(transfer(token, "bob")) == "body.user_id uuid_parsing");
    BOOST_TEST(owner() == user);
    // By a key that may do all, too: the password is what proves it.
    BOOST_TEST(transfer(mint(R"({"name":"k"})"), bob.user).status == 200u);
}

BOOST_FIXTURE_TEST_CASE(nobody_but_the_owner_gives_it_away, handed_over)
{
    BOOST_REQUIRE(set_role(token, mel.user, "admin").status == 200u);
    BOOST_TEST(verdict(transfer(mel.token, mel.user)) == "403 forbidden");
    BOOST_TEST(verdict(transfer(mel.token, bob.user, "not her own")) == "403 forbidden");
    BOOST_TEST(verdict(transfer(bob.token, bob.user)) == "403 forbidden_scope");
    BOOST_TEST(verdict(transfer(mint(R"({"name":"w","owner":"workspace","role":"admin"})"), bob.user)) ==
               "403 forbidden");
    BOOST_TEST(verdict(transfer(mint(R"({"name":"k","scopes":["team:roles","settings:manage"]})"),
                                bob.user)) == "403 forbidden_scope");
    BOOST_TEST(verdict(transfer("", bob.user)) == "401 unauthorized");
    BOOST_TEST(owner() == user);
}

BOOST_FIXTURE_TEST_CASE(an_heir_is_another_member_who_can_act, handed_over)
{
    auto eve = sign_up(client, "eve@example.net");
    BOOST_TEST(verdict(transfer(token, user)) == "409 conflict");
    BOOST_TEST(verdict(transfer(token, eve.user)) == "404 not_found");
    BOOST_TEST(verdict(transfer(token, workspace)) == "404 not_found");
    db.sql("UPDATE users SET disabled_at = now() WHERE id = '" + bob.user + "'");
    BOOST_TEST(verdict(transfer(token, bob.user)) == "404 not_found");
    BOOST_TEST(owner() == user);
    BOOST_TEST(db.sql("SELECT role FROM memberships WHERE workspace_id = '" + workspace +
                      "' AND user_id = '" + bob.user + "'") == "member");
    BOOST_TEST(client.get(base + "/me", eve.token).text("/workspace/owner_id") == eve.user);
}

BOOST_FIXTURE_TEST_CASE(who_has_no_password_shows_a_fresh_sign_in, handed_over)
{
    db.sql("UPDATE users SET password_hash = NULL WHERE id = '" + user +
           "'; UPDATE sessions SET created_at = now() - interval '6 minutes'");
    BOOST_TEST(verdict(transfer(token, bob.user, "")) == "403 reauthentication_required");
    BOOST_TEST(verdict(transfer(mint(R"({"name":"k"})"), bob.user)) == "403 reauthentication_required");
    db.sql("UPDATE sessions SET created_at = now() - interval '4 minutes'");
    BOOST_TEST(transfer(token, bob.user, "").status == 200u);
}

BOOST_FIXTURE_TEST_CASE(with_it_goes_what_kept_the_account_from_being_deleted, handed_over)
{
    auto leave = [&](const std::string& with) {
        return client.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})", with);
    };
    BOOST_TEST(verdict(leave(token)) == "409 owner_protected");
    BOOST_REQUIRE(transfer(token, bob.user).status == 200u);
    BOOST_TEST(leave(token).status == 204u);
    BOOST_TEST(verdict(leave(bob.token)) == "409 owner_protected");
    BOOST_TEST(owner() == bob.user);
    BOOST_TEST(everywhere(server, to_get("/team", mel.token)) == "200");
}

BOOST_AUTO_TEST_CASE(guesses_are_counted_with_those_at_the_login)
{
    handed_over world({{"LATCHKEY_RATE_LIMIT_PER_MINUTE", "1000"}});
    for (int i = 0; i < 10; ++i)
        BOOST_TEST(world.transfer(world.token, world.bob.user, "not her own").status == 403u);
    BOOST_TEST(verdict(world.transfer(world.token, world.bob.user)) == "429 rate_limited");
    BOOST_TEST(world.client.post(base + "/login", credentials("ada@example.com")).status == 429u);
    BOOST_TEST(world.owner() == world.user);
}

BOOST_AUTO_TEST_SUITE_END()
