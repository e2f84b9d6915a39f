// What one person or one workspace is asked for at the same instant is done one after the other: nobody locks
// anybody out.
#include "tests/e2e/support/domain_fixture.hpp"

#include <string>

using namespace flows;

namespace {

constexpr int rounds = 25;

struct contended : domain {
    std::string own_of(const person& who)
    {
        return db.sql("SELECT id FROM workspaces WHERE owner_id = '" + who.user + "'");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(lock_order)

BOOST_FIXTURE_TEST_CASE(a_session_that_switches_and_mints, contended)
{
    auto own = own_of(bob);
    for (int round = 0; round < 2 * rounds; ++round) {
        auto change = to_post("/workspaces/" + (round % 2 == 0 ? own : workspace) + "/switch", "", bob.token);
        auto mint = to_post("/api-keys", R"({"name":"k"})", bob.token);
        BOOST_TEST(verdicts(at_once(server, {change, mint, change, mint})) == "200, 200, 201, 201");
    }
}

BOOST_FIXTURE_TEST_CASE(a_session_that_switches_while_all_others_end, contended)
{
    auto own = own_of(bob);
    std::string now = "long enough", next = "another of his";
    for (int round = 0; round < rounds; ++round) {
        db.sql("UPDATE users SET last_workspace_id = '" + workspace + "' WHERE id = '" + bob.user + "'");
        auto here = person_of(client.post(base + "/login", credentials("bob@example.com", now)));
        auto other = person_of(client.post(base + "/login", credentials("bob@example.com", now)));
        auto change = support::object({{"current_password", now}, {"new_password", next}});
        auto answers = at_once(server, {to_post("/password/change", change, here.token),
                                        to_post("/workspaces/" + own + "/switch", "", other.token),
                                        to_post("/workspaces/" + own + "/switch", "", here.token)});
        BOOST_TEST(verdict(answers[0]) == "204");
        auto other_switch = verdict(answers[1]);
        BOOST_TEST(
            (other_switch == "200" || other_switch == "401 unauthorized" || other_switch == "404 not_found"),
            other_switch);
        BOOST_TEST(verdict(answers[2]) == "200");
        BOOST_TEST(everywhere(server, to_get("/me", other.token)) == "401 unauthorized");
        std::swap(now, next);
    }
}

BOOST_FIXTURE_TEST_CASE(a_session_that_accepts_twice_and_mints, contended)
{
    auto eve = sign_up(client, "eve@example.net");
    verify_address("eve@example.net");
    for (int round = 0; round < rounds; ++round) {
        auto id = invite_one("eve@example.net");
        auto accept =
            to_post("/invites/accept", support::object({{"token", token_to("eve@example.net")}}), eve.token);
        auto mint = to_post("/api-keys", R"({"name":"k"})", eve.token);
        auto answers = at_once(server, {accept, mint, accept, mint});
        auto how = verdicts(answers);
        BOOST_TEST((how == "200, 201, 201, 400 invalid_token" || how == "200, 201, 201, 409 already_member"),
                   how);
        BOOST_REQUIRE(client.del(base + "/team/" + eve.user, token).status == 204u);
        eve = log_in(client, "eve@example.net");
    }
}

BOOST_FIXTURE_TEST_CASE(a_workspace_that_two_admins_set_up, contended)
{
    for (int round = 0; round < rounds; ++round) {
        auto name = to_patch("/workspace", R"({"name":"Engines"})", token);
        auto policy = to_patch("/workspace", R"({"join_policy":"approval"})", mel.token);
        auto mint = to_post("/api-keys", R"({"name":"k"})", bob.token);
        BOOST_TEST(verdicts(at_once(server, {name, policy, name, mint})) == "200, 200, 200, 201");
    }
}

BOOST_FIXTURE_TEST_CASE(somebody_who_waits_and_whom_two_admins_settle, contended)
{
    for (int round = 0; round < rounds; ++round) {
        auto email = "z" + std::to_string(round) + "@example.com";
        auto zoe = verified_newcomer(email);
        invite_one(email);
        auto accept = to_post("/invites/accept", support::object({{"token", token_to(email)}}), zoe.token);
        auto path = "/team/requests/" + zoe.user;
        auto answers =
            at_once(server, {to_post(path + "/approve", "", token), to_post(path + "/approve", "", mel.token),
                             to_post(path + "/reject", "", token), accept});
        int settled = 0;
        for (auto& answer : {answers[0], answers[1], answers[2]}) {
            settled += answer.status < 300;
            BOOST_TEST((answer.status < 300 || verdict(answer) == "404 not_found"), answer.body);
        }
        BOOST_TEST(settled <= 1);
        BOOST_TEST((answers[3].status == 200u || verdict(answers[3]) == "409 already_member"),
                   answers[3].body);
        BOOST_TEST(role_of(zoe.user) == "member");
        BOOST_TEST(db.sql("SELECT count(*) FROM join_requests WHERE user_id = '" + zoe.user + "'") == "0");
    }
}

BOOST_FIXTURE_TEST_CASE(a_member_who_is_ranked_removed_and_deletes_the_account, contended)
{
    for (int round = 0; round < rounds; ++round) {
        auto email = "u" + std::to_string(round) + "@example.net";
        auto una = bring_in(*this, email, "member");
        auto leave = [una](support::http_client& from) {
            return from.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})",
                             una.token);
        };
        auto answers = at_once(server, {leave, to_patch("/team/" + una.user, R"({"role":"manager"})", token),
                                        to_delete("/team/" + una.user, mel.token),
                                        to_post("/api-keys", R"({"name":"k"})", una.token)});
        for (auto& answer : answers)
            BOOST_TEST((answer.status < 500u && answer.status != 422u), answer.body);
        BOOST_TEST(role_of(una.user) == "");
        BOOST_TEST(everywhere(server, to_get("/me", una.token)) == "401 unauthorized");
        BOOST_TEST(db.sql("SELECT count(*) FROM api_keys WHERE user_id = '" + una.user +
                          "' AND workspace_id = '" + workspace + "' AND revoked_at IS NULL") == "0");
    }
}

BOOST_AUTO_TEST_SUITE_END()
