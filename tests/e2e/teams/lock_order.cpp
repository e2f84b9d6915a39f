// Concurrent requests about one account or workspace take their locks in one order: no deadlock occurs.
#include "tests/e2e/support/domain_fixture.hpp"

#include <string>

using namespace e2e;

namespace {

constexpr int rounds = 25;

struct lock_order_fixture : domain_fixture {
    lock_order_fixture() : domain_fixture({{"LATCHKEY_THREADS", "4"}, {"LATCHKEY_MAIL_PER_RECIPIENT", "0"}})
    {}

    std::string own_workspace_of(const person& who)
    {
        return db.sql("SELECT id FROM workspaces WHERE owner_id = '" + who.user + "'");
    }
};

} // namespace

BOOST_AUTO_TEST_SUITE(lock_order)

BOOST_FIXTURE_TEST_CASE(switching_and_minting_by_one_session, lock_order_fixture)
{
    auto own = own_workspace_of(bob);
    for (int round = 0; round < 2 * rounds; ++round) {
        auto change =
            post_request("/workspaces/" + (round % 2 == 0 ? own : workspace) + "/switch", "", bob.token);
        auto mint = post_request("/api-keys", R"({"name":"k"})", bob.token);
        BOOST_TEST(summaries(send_concurrently(server, {change, mint, change, mint})) ==
                   "200, 200, 201, 201");
    }
}

BOOST_FIXTURE_TEST_CASE(switching_while_all_other_sessions_end, lock_order_fixture)
{
    auto own = own_workspace_of(bob);
    std::string now = "long enough", next = "another of his";
    for (int round = 0; round < rounds; ++round) {
        db.sql("UPDATE users SET last_workspace_id = '" + workspace + "' WHERE id = '" + bob.user + "'");
        auto here = person_from(client.post(base + "/login", credentials("bob@example.com", now)));
        auto other = person_from(client.post(base + "/login", credentials("bob@example.com", now)));
        auto change = support::object({{"current_password", now}, {"new_password", next}});
        auto answers =
            send_concurrently(server, {post_request("/password/change", change, here.token),
                                       post_request("/workspaces/" + own + "/switch", "", other.token),
                                       post_request("/workspaces/" + own + "/switch", "", here.token)});
        BOOST_TEST(summary(answers[0]) == "204");
        auto other_switch = summary(answers[1]);
        BOOST_TEST(
            (other_switch == "200" || other_switch == "401 unauthorized" || other_switch == "404 not_found"),
            other_switch);
        BOOST_TEST(summary(answers[2]) == "200");
        BOOST_TEST(on_all_cores(server, get_request("/me", other.token)) == "401 unauthorized");
        std::swap(now, next);
    }
}

BOOST_FIXTURE_TEST_CASE(accepting_twice_and_minting_by_one_session, lock_order_fixture)
{
    auto eve = sign_up(client, "eve@example.net");
    verify_address("eve@example.net");
    for (int round = 0; round < rounds; ++round) {
        auto id = invite_one("eve@example.net");
        auto accept = post_request("/invites/accept",
                                   support::object({{"token", emailed_token("eve@example.net")}}), eve.token);
        auto mint = post_request("/api-keys", R"({"name":"k"})", eve.token);
        auto answers = send_concurrently(server, {accept, mint, accept, mint});
        auto how = summaries(answers);
        BOOST_TEST((how == "200, 201, 201, 400 invalid_token" || how == "200, 201, 201, 409 already_member"),
                   how);
        BOOST_REQUIRE(client.del(base + "/team/" + eve.user, token).status == 204u);
        eve = log_in(client, "eve@example.net");
    }
}

BOOST_FIXTURE_TEST_CASE(two_admins_updating_one_workspace, lock_order_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        auto name = patch_request("/workspace", R"({"name":"Engines"})", token);
        auto policy = patch_request("/workspace", R"({"join_policy":"approval"})", mel.token);
        auto mint = post_request("/api-keys", R"({"name":"k"})", bob.token);
        BOOST_TEST(summaries(send_concurrently(server, {name, policy, name, mint})) == "200, 200, 200, 201");
    }
}

BOOST_FIXTURE_TEST_CASE(two_admins_deciding_one_join_request, lock_order_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        auto email = "z" + std::to_string(round) + "@example.com";
        auto zoe = sign_up_verified(email);
        invite_one(email);
        auto accept =
            post_request("/invites/accept", support::object({{"token", emailed_token(email)}}), zoe.token);
        auto path = "/team/requests/" + zoe.user;
        auto answers = send_concurrently(server, {post_request(path + "/approve", "", token),
                                                  post_request(path + "/approve", "", mel.token),
                                                  post_request(path + "/reject", "", token), accept});
        int decided = 0;
        for (auto& answer : {answers[0], answers[1], answers[2]}) {
            decided += answer.status < 300;
            BOOST_TEST((answer.status < 300 || summary(answer) == "404 not_found"), answer.body);
        }
        BOOST_TEST(decided <= 1);
        BOOST_TEST((answers[3].status == 200u || summary(answers[3]) == "409 already_member"),
                   answers[3].body);
        BOOST_TEST(role_of(zoe.user) == "member");
        BOOST_TEST(db.sql("SELECT count(*) FROM join_requests WHERE user_id = '" + zoe.user + "'") == "0");
    }
}

BOOST_FIXTURE_TEST_CASE(changing_the_role_of_removing_and_deleting_one_member, lock_order_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        auto email = "u" + std::to_string(round) + "@example.net";
        auto una = add_member(*this, email, "member");
        auto leave = [una](support::http_client& from) {
            return from.send(support::http::verb::delete_, base + "/me", R"({"password":"long enough"})",
                             una.token);
        };
        auto answers = send_concurrently(
            server, {leave, patch_request("/team/" + una.user, R"({"role":"manager"})", token),
                     delete_request("/team/" + una.user, mel.token),
                     post_request("/api-keys", R"({"name":"k"})", una.token)});
        for (auto& answer : answers)
            BOOST_TEST((answer.status < 500u && answer.status != 422u), answer.body);
        BOOST_TEST(role_of(una.user) == "");
        BOOST_TEST(on_all_cores(server, get_request("/me", una.token)) == "401 unauthorized");
        BOOST_TEST(db.sql("SELECT count(*) FROM api_keys WHERE user_id = '" + una.user +
                          "' AND workspace_id = '" + workspace + "' AND revoked_at IS NULL") == "0");
    }
}

BOOST_FIXTURE_TEST_CASE(a_transaction_rolled_back_for_a_deadlock_is_repeated, account_fixture)
{
    auto rename = [&](const std::string& name) {
        return client.patch(base + "/me", support::object({{"name", name}}), token);
    };
    auto fail_next = [&](int transactions) {
        db.sql("CREATE SEQUENCE failures; CREATE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql AS "
               "$$ BEGIN IF nextval('failures') <= " +
               std::to_string(transactions) +
               " THEN RAISE EXCEPTION 'forced' USING ERRCODE = '40P01'; END IF; RETURN NEW; END $$; "
               "CREATE TRIGGER fail_first BEFORE UPDATE OF name ON users FOR EACH ROW "
               "EXECUTE FUNCTION fail_first()");
    };
    fail_next(2);
    auto renamed = rename("Ada");
    BOOST_TEST(summary(renamed) == "200");
    BOOST_TEST(renamed.text("/user/name") == "Ada");
    db.sql("DROP FUNCTION fail_first CASCADE; DROP SEQUENCE failures");
    fail_next(3);
    BOOST_TEST(summary(rename("Eve")) == "503 database_unavailable");
    BOOST_TEST(rename("Lovelace").text("/user/name") == "Lovelace");
}

BOOST_AUTO_TEST_SUITE_END()
