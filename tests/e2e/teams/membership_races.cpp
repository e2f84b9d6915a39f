// A membership, a role or an invite that ends at the very instant at which somebody makes use of it.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/invite_fixture.hpp"

#include <set>
#include <string>

using namespace flows;

namespace {

constexpr int rounds = 25;

struct racing : inviting {
    /// Bob, whatever has become of him, as one of this role and signed in to Ada's workspace.
    void readmit_bob(const std::string& role)
    {
        db.sql("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + workspace + "', '" +
               bob.user + "', '" + role + "') ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = '" +
               role + "'; UPDATE users SET last_workspace_id = '" + workspace + "' WHERE id = '" + bob.user +
               "'");
        bob = log_in(client, "bob@example.com");
        BOOST_REQUIRE(bob.workspace == workspace);
        BOOST_REQUIRE(everywhere(server, to_get("/me", bob.token)) == "200");
    }

    question to_remove_bob() { return to_delete("/team/" + bob.user, token); }

    question to_give_bob(const std::string& role)
    {
        return to_patch("/team/" + bob.user, support::object({{"role", role}}), token);
    }

    std::string live_keys_of_bob()
    {
        return db.sql("SELECT count(*) FROM api_keys WHERE workspace_id = '" + workspace +
                      "' AND (user_id = '" + bob.user + "' OR created_by = '" + bob.user +
                      "') AND revoked_at IS NULL");
    }
};

/// Neither the server nor the database has given up.
void check_no_failure(const std::vector<support::response>& answers)
{
    for (auto& answer : answers)
        BOOST_TEST(answer.status < 500u, answer.body);
}

} // namespace

BOOST_AUTO_TEST_SUITE(membership_races)

BOOST_FIXTURE_TEST_CASE(an_invite_is_accepted_once, racing)
{
    for (int round = 0; round < rounds; ++round) {
        auto email = "n" + std::to_string(round) + "@example.org";
        auto invitation = invitation_of(email);
        bool has_account = round % 2 == 1;
        if (has_account) {
            sign_up(client, email);
            verify_address(email);
        }
        auto body = support::object({{"token", invitation}, {"password", "long enough"}});
        auto ask = to_post("/invites/accept", body);
        auto both = at_once(server, {ask, ask, ask});
        int accepted = 0;
        for (auto& answer : both) {
            accepted += answer.status == 200;
            // Somebody else's acceptance, or the account that it has made, is found in time.
            BOOST_TEST((answer.status == 200 || verdict(answer) == "400 invalid_token" ||
                        verdict(answer) == "409 conflict" || verdict(answer) == "409 already_member"),
                       verdict(answer));
        }
        BOOST_TEST(accepted == 1);
        BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email = '" + email + "'") == "1");
        BOOST_TEST(
            db.sql("SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id WHERE u.email = '" +
                   email + "' AND m.workspace_id = '" + workspace + "'") == "1");
    }
}

BOOST_FIXTURE_TEST_CASE(an_invite_is_cancelled_or_accepted, racing)
{
    for (int round = 0; round < rounds; ++round) {
        auto email = "n" + std::to_string(round) + "@example.org";
        auto id = invite_one(email);
        auto body = support::object({{"token", token_to(email)}, {"password", "long enough"}});
        bool again = round % 2 == 1;
        auto end = again ? to_post("/team/invites/" + id + "/resend", "", token)
                         : to_delete("/team/invites/" + id, token);
        auto both = at_once(server, {to_post("/invites/accept", body), end});
        check_no_failure(both);
        auto how = std::to_string(both[0].status) + " " + std::to_string(both[1].status);
        BOOST_TEST((how == "200 404" || how == (again ? "400 202" : "400 204")), how);
        BOOST_TEST(db.sql("SELECT count(*) FROM users WHERE email = '" + email + "'") ==
                   (both[0].status == 200u ? "1" : "0"));
    }
}

BOOST_FIXTURE_TEST_CASE(an_address_is_invited_once_by_however_many_batches, racing)
{
    constexpr int each = 20;
    // So slow that the batches are in the middle of each other.
    db.sql("CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep(0.002); "
           "RETURN NEW; END "
           "$$; CREATE TRIGGER dawdle BEFORE INSERT ON invites FOR EACH ROW EXECUTE FUNCTION dawdle()");
    for (int round = 0; round < rounds; ++round) {
        invite_lines lines, backwards;
        for (int i = 0; i < each; ++i)
            lines.emplace_back("r" + std::to_string(round) + "-" + std::to_string(i) + "@example.org",
                               "member");
        backwards.assign(lines.rbegin(), lines.rend());
        auto answers = at_once(server, {to_post("/team/invites", batch_of(lines), token),
                                        to_post("/team/invites", batch_of(backwards), mel.token),
                                        to_post("/team/invites", batch_of(lines), mel.token)});
        check_no_failure(answers);
        std::multiset<std::string> created;
        for (auto& answer : answers) {
            BOOST_REQUIRE_MESSAGE((answer.status == 201u || answer.status == 409u), answer.body);
            for (std::size_t i = 0; i < count(answer); ++i) {
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

BOOST_FIXTURE_TEST_CASE(an_expired_invite_gives_way_once, racing)
{
    for (int round = 0; round < rounds; ++round) {
        auto email = "n" + std::to_string(round) + "@example.org";
        auto old = invite_one(email);
        db.sql("UPDATE invites SET expires_at = now() - interval '1 second' WHERE id = '" + old + "'");
        auto again = to_post("/team/invites", batch_of({{email, "member"}}), token);
        auto how = verdicts(
            at_once(server, {again, again, to_post("/team/invites/" + old + "/resend", "", mel.token)}));
        BOOST_TEST((how == "201, 404 not_found, 409 conflict" || how == "202, 409 conflict, 409 conflict"),
                   how);
        BOOST_TEST(db.sql("SELECT count(*) FROM invites WHERE email = '" + email +
                          "' AND accepted_at IS NULL AND cancelled_at IS NULL AND expires_at > now()") ==
                   "1");
    }
}

BOOST_FIXTURE_TEST_CASE(what_a_demoted_admin_has_under_way_outlives_nothing, racing)
{
    for (int round = 0; round < rounds; ++round) {
        readmit_bob("admin");
        auto email = "n" + std::to_string(round) + "@example.org";
        auto answers = at_once(
            server, {to_give_bob("member"),
                     to_post("/api-keys", R"({"name":"w","owner":"workspace","role":"admin"})", bob.token),
                     to_post("/team/invites", batch_of({{email, "admin"}}), bob.token),
                     to_patch("/team/" + mel.user, R"({"role":"manager"})", bob.token)});
        check_no_failure(answers);
        BOOST_TEST(answers[0].status == 200u);
        // What came first was an admin's to do; an invite ends with the role all the same.
        BOOST_TEST(db.sql("SELECT count(*) FROM invites WHERE email = '" + email +
                          "' AND cancelled_at IS NULL") == "0");
        BOOST_TEST(everywhere(server, to_get("/audit", bob.token)) == "403 forbidden_scope");
        for (auto& answer : {answers[1], answers[2], answers[3]})
            BOOST_TEST((answer.status < 300 || answer.status == 401 || answer.status == 403), answer.body);
        if (answers[1].status == 201u) // the workspace's from then on, as if made a moment before
            BOOST_TEST(everywhere(server, to_get("/audit", answers[1].text("/secret"))) == "200");
    }
}

BOOST_FIXTURE_TEST_CASE(a_key_made_while_its_maker_is_demoted_has_the_lower_role, racing)
{
    for (int round = 0; round < rounds; ++round) {
        readmit_bob("admin");
        auto answers =
            at_once(server, {to_post("/api-keys", R"({"name":"k"})", bob.token), to_give_bob("member"),
                             to_post("/api-keys", R"({"name":"k"})", bob.token)});
        check_no_failure(answers);
        BOOST_TEST(answers[1].status == 200u);
        for (auto& made : {answers[0], answers[2]})
            if (made.status == 201u)
                BOOST_TEST(everywhere(server, to_get("/audit", made.text("/secret"))) ==
                           "403 forbidden_scope");
            else
                BOOST_TEST(made.status == 401u);
    }
}

BOOST_FIXTURE_TEST_CASE(no_key_and_no_session_outlives_the_membership_it_is_just_made_of, racing)
{
    auto own = db.sql("SELECT id FROM workspaces WHERE owner_id = '" + bob.user + "'");
    for (int round = 0; round < rounds; ++round) {
        readmit_bob("member");
        auto key = post("/api-keys", R"({"name":"k"})", bob.token).text("/secret");
        auto other = log_in(client, "bob@example.com");
        auto spare = log_in(client, "bob@example.com");
        BOOST_REQUIRE(post("/workspaces/" + own + "/switch", "", spare.token).status == 200u);
        auto answers = at_once(
            server,
            {to_remove_bob(), to_post("/api-keys", R"({"name":"more"})", bob.token),
             to_post("/api-keys/" + prefix_of(key) + "/rotate", R"({"grace_seconds":600})", bob.token),
             to_post("/workspaces/" + own + "/switch", "", other.token),
             to_post("/workspaces/" + workspace + "/switch", "", spare.token),
             to_post("/login", credentials("bob@example.com")),
             to_post("/token/refresh", support::object({{"refresh_token", bob.refresh_token}}))});
        check_no_failure(answers);
        BOOST_TEST(answers[0].status == 204u);
        std::vector<std::string> credentials{bob.token, key, answers[1].text("/secret"),
                                             answers[2].text("/secret")};
        for (auto& credential : credentials)
            if (!credential.empty())
                BOOST_TEST(everywhere(server, to_get("/me", credential)) == "401 unauthorized");
        BOOST_TEST(live_keys_of_bob() == "0");
        // Whatever a session leads to, it does not lead here any more.
        for (auto& answer : {answers[3], answers[4], answers[5], answers[6]}) {
            if (answer.status != 200u)
                continue;
            auto token = answer.text("/access_token");
            auto expected = part_of(token, 1).text("/wid") == workspace ? "401 unauthorized" : "200";
            BOOST_TEST(everywhere(server, to_get("/me", token)) == expected);
            // A session that has come through is good for where its person still belongs.
            auto renewed =
                post("/token/refresh", support::object({{"refresh_token", answer.text("/refresh_token")}}));
            BOOST_TEST((renewed.status >= 400 || renewed.text("/workspace/id") == own), renewed.body);
        }
    }
}

BOOST_AUTO_TEST_SUITE_END()
