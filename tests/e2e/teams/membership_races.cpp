// Races between the end of a membership, role or invite and its use.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"
#include "tests/support/thorough.hpp"

#include <set>
#include <string>

using namespace e2e;

BOOST_AUTO_TEST_SUITE(membership_races)

namespace {

const int rounds = support::is_thorough() ? 25 : 10;

struct membership_race_fixture : invite_fixture {
    membership_race_fixture() : invite_fixture(four_cores) {}

    /// Make Bob a member with this role, whether still a member or not, and log him in to Ada's workspace.
    void readmit_bob(const std::string& role)
    {
        db.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace + "', '" +
               bob.user + "', '" + role + "') ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = '" +
               role + "'; UPDATE users SET last_workspace_id = '" + workspace + "' WHERE id = '" + bob.user +
               "'");
        bob = log_in(client, "bob@example.com");
        BOOST_REQUIRE(bob.workspace == workspace);
        BOOST_REQUIRE(on_all_cores(server, get_request("/me", bob.token)) == "200");
    }

    api_request remove_bob() { return delete_request("/team/" + bob.user, token); }

    api_request change_role_of_bob(const std::string& role)
    {
        return patch_request("/team/" + bob.user, support::object({{"role", role}}), token);
    }

    std::string live_keys_of_bob()
    {
        return db.sql("SELECT count(*) FROM api_keys WHERE workspace_id = '" + workspace +
                      "' AND (user_id = '" + bob.user + "' OR created_by = '" + bob.user +
                      "') AND revoked_at IS NULL");
    }
};

/// No response is a server error: neither a deadlock nor a failed constraint.
void check_no_failure(const support::running_server& server, const std::vector<support::response>& answers)
{
    for (auto& answer : answers)
        BOOST_TEST(answer.status < 500u, answer.body << server.log_lines(R"("level":"error")"));
}

} // namespace

BOOST_FIXTURE_TEST_CASE(an_invite_is_accepted_only_once, membership_race_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        auto email = "n" + std::to_string(round) + "@example.org";
        auto invitation = invitation_token(email);
        bool has_account = round % 2 == 1;
        if (has_account) {
            sign_up(client, email);
            verify_address(email);
        }
        auto body = support::object({{"token", invitation}, {"password", "long enough"}});
        auto ask = post_request("/invites/accept", body);
        auto both = send_concurrently(server, {ask, ask, ask});
        int accepted = 0;
        for (auto& answer : both) {
            accepted += answer.status == 200;
            // The loser finds the invite accepted, or the account that the winner created.
            BOOST_TEST((answer.status == 200 || summary(answer) == "400 invalid_token" ||
                        summary(answer) == "409 conflict" || summary(answer) == "409 already_member"),
                       summary(answer));
        }
        BOOST_TEST(accepted == 1);
        BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email = '" + email + "'") == "1");
        BOOST_TEST(
            db.sql("SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email = '" +
                   email + "' AND m.workspace_id = '" + workspace + "'") == "1");
    }
}

BOOST_FIXTURE_TEST_CASE(an_invite_is_either_cancelled_or_accepted, membership_race_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        auto email = "n" + std::to_string(round) + "@example.org";
        auto id = invite_one(email);
        auto body = support::object({{"token", emailed_token(email)}, {"password", "long enough"}});
        bool again = round % 2 == 1;
        auto end = again ? post_request("/team/invites/" + id + "/resend", "", token)
                         : delete_request("/team/invites/" + id, token);
        auto both = send_concurrently(server, {post_request("/invites/accept", body), end});
        check_no_failure(server, both);
        auto how = std::to_string(both[0].status) + " " + std::to_string(both[1].status);
        BOOST_TEST((how == "200 404" || how == (again ? "400 202" : "400 204")), how);
        BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email = '" + email + "'") ==
                   (both[0].status == 200u ? "1" : "0"));
    }
}

BOOST_FIXTURE_TEST_CASE(concurrent_batches_invite_an_address_once, membership_race_fixture)
{
    constexpr int each = 20;
    // Slow inserts, so that the batches overlap.
    db.sql("CREATE FUNCTION slow_insert() RETURNS trigger LANGUAGE plpgsql AS "
           "$$ BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$; "
           "CREATE TRIGGER slow_insert BEFORE INSERT ON invites FOR EACH ROW EXECUTE FUNCTION slow_insert()");
    for (int round = 0; round < rounds; ++round) {
        invite_lines lines, backwards;
        for (int i = 0; i < each; ++i)
            lines.emplace_back("r" + std::to_string(round) + "-" + std::to_string(i) + "@example.org",
                               "member");
        backwards.assign(lines.rbegin(), lines.rend());
        auto answers =
            send_concurrently(server, {post_request("/team/invites", invites_body(lines), token),
                                       post_request("/team/invites", invites_body(backwards), mel.token),
                                       post_request("/team/invites", invites_body(lines), mel.token)});
        check_no_failure(server, answers);
        std::multiset<std::string> created;
        for (auto& answer : answers) {
            BOOST_REQUIRE_MESSAGE((answer.status == 201u || answer.status == 409u), answer.body);
            for (std::size_t i = 0; i < item_count(answer); ++i) {
                auto row = "/items/" + std::to_string(i);
                auto result = answer.text(row + "/result");
                BOOST_TEST((result == "created" || result == "already_invited"), result);
                if (result == "created")
                    created.insert(answer.text(row + "/email"));
            }
        }
        BOOST_TEST(created.size() == std::size_t(each));
        for (auto& [email, role] : lines)
            BOOST_TEST(created.count(email) == 1u, email);
    }
    auto total = std::to_string(each * rounds);
    BOOST_TEST(db.sql("SELECT count(*) FROM invites") == total);
    BOOST_TEST(db.sql("SELECT count(*) FROM audit WHERE action = 'invite.create'") == total);
}

BOOST_FIXTURE_TEST_CASE(an_expired_invite_is_replaced_once, membership_race_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        auto email = "n" + std::to_string(round) + "@example.org";
        auto old = invite_one(email);
        db.sql("UPDATE invites SET expires_at = now() - interval '1 second' WHERE id = '" + old + "'");
        auto again = post_request("/team/invites", invites_body({{email, "member"}}), token);
        auto how = summaries(send_concurrently(
            server, {again, again, post_request("/team/invites/" + old + "/resend", "", mel.token)}));
        BOOST_TEST((how == "201, 404 not_found, 409 conflict" || how == "202, 409 conflict, 409 conflict"),
                   how);
        BOOST_TEST(db.sql("SELECT count(*) FROM invites WHERE email = '" + email +
                          "' AND accepted_at IS NULL AND cancelled_at IS NULL AND expires_at > now()") ==
                   "1");
    }
}

BOOST_FIXTURE_TEST_CASE(requests_in_flight_do_not_outlive_a_demotion, membership_race_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        readmit_bob("admin");
        auto email = "n" + std::to_string(round) + "@example.org";
        auto answers = send_concurrently(
            server,
            {change_role_of_bob("member"),
             post_request("/api-keys", R"({"name":"w","owner":"workspace","role":"admin"})", bob.token),
             post_request("/team/invites", invites_body({{email, "admin"}}), bob.token),
             patch_request("/team/" + mel.user, R"({"role":"manager"})", bob.token)});
        check_no_failure(server, answers);
        BOOST_TEST(answers[0].status == 200u);
        // Requests before the demotion succeed; an invite ends with the role nevertheless.
        BOOST_TEST(db.sql("SELECT count(*) FROM invites WHERE email = '" + email +
                          "' AND cancelled_at IS NULL") == "0");
        BOOST_TEST(on_all_cores(server, get_request("/audit", bob.token)) == "403 forbidden_scope");
        for (auto& answer : {answers[1], answers[2], answers[3]})
            BOOST_TEST((answer.status < 300 || answer.status == 403), answer.body);
        if (answers[1].status == 201u) // owned by the workspace, as if created just before
            BOOST_TEST(on_all_cores(server, get_request("/audit", answers[1].text("/secret"))) == "200");
    }
}

BOOST_FIXTURE_TEST_CASE(a_key_minted_during_a_demotion_has_the_lower_role, membership_race_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        readmit_bob("admin");
        auto answers = send_concurrently(server, {post_request("/api-keys", R"({"name":"k"})", bob.token),
                                                  change_role_of_bob("member"),
                                                  post_request("/api-keys", R"({"name":"k"})", bob.token)});
        check_no_failure(server, answers);
        BOOST_TEST(answers[1].status == 200u);
        for (auto& made : {answers[0], answers[2]}) {
            BOOST_TEST(made.status == 201u); // members may mint too
            BOOST_TEST(on_all_cores(server, get_request("/audit", made.text("/secret"))) ==
                       "403 forbidden_scope");
        }
    }
}

BOOST_FIXTURE_TEST_CASE(no_key_or_session_created_during_a_removal_survives_it, membership_race_fixture)
{
    auto own = db.sql("SELECT id FROM workspaces WHERE owner_id = '" + bob.user + "'");
    for (int round = 0; round < rounds; ++round) {
        readmit_bob("member");
        auto key = post("/api-keys", R"({"name":"k"})", bob.token).text("/secret");
        auto other = log_in(client, "bob@example.com");
        auto spare = log_in(client, "bob@example.com");
        BOOST_REQUIRE(post("/workspaces/" + own + "/switch", "", spare.token).status == 200u);
        auto answers = send_concurrently(
            server,
            {remove_bob(), post_request("/api-keys", R"({"name":"more"})", bob.token),
             post_request("/api-keys/" + prefix_of(key) + "/rotate", R"({"grace_seconds":600})", bob.token),
             post_request("/workspaces/" + own + "/switch", "", other.token),
             post_request("/workspaces/" + workspace + "/switch", "", spare.token),
             post_request("/login", credentials("bob@example.com")),
             post_request("/token/refresh", support::object({{"refresh_token", bob.refresh_token}}))});
        check_no_failure(server, answers);
        BOOST_TEST(answers[0].status == 204u);
        std::vector<std::string> credentials{bob.token, key, answers[1].text("/secret"),
                                             answers[2].text("/secret")};
        for (auto& credential : credentials)
            if (!credential.empty())
                BOOST_TEST(on_all_cores(server, get_request("/me", credential)) == "401 unauthorized");
        BOOST_TEST(live_keys_of_bob() == "0");
        // No session leads to this workspace any more.
        for (auto& answer : {answers[3], answers[4], answers[5], answers[6]}) {
            if (answer.status != 200u)
                continue;
            auto token = answer.text("/access_token");
            auto expected = jwt_part(token, 1).text("/wid") == workspace ? "401 unauthorized" : "200";
            BOOST_TEST(on_all_cores(server, get_request("/me", token)) == expected);
            // Its session goes on in a workspace of which the account is still a member.
            auto refresh_token = answer.text("/refresh_token");
            if (refresh_token.empty())
                continue;
            auto renewed = post("/token/refresh", support::object({{"refresh_token", refresh_token}}));
            BOOST_TEST(renewed.status == 200u);
            BOOST_TEST(renewed.text("/workspace/id") == own);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
