// Concurrent changes of a team's admins: they are serialized, and an active admin always remains.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"
#include "tests/support/thorough.hpp"

#include <map>
#include <string>

using namespace e2e;

namespace {

const int rounds = support::is_thorough() ? 25 : 10;

/// Mel and Bob are admins as well as Ada.
struct admin_race_fixture : team_fixture {
    admin_race_fixture() : team_fixture(four_cores) {}

    /// Make an account an admin of the workspace, whether still a member or not.
    /// @return a new session, which no core has cached
    person readmit(const std::string& email)
    {
        db.sql("INSERT INTO memberships (workspace_id, user_id, role) SELECT '" + workspace +
               "', id, 'admin' FROM users WHERE email = '" + email +
               "' ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = 'admin'; UPDATE users SET "
               "last_workspace_id = '" +
               workspace + "' WHERE email = '" + email + "'");
        auto who = log_in(client, email);
        BOOST_REQUIRE(who.workspace == workspace);
        BOOST_REQUIRE(on_all_cores(server, get_request("/audit", who.token)) == "200");
        return who;
    }

    void begin_round()
    {
        db.sql("UPDATE workspaces SET owner_id = '" + user + "' WHERE id = '" + workspace + "'");
        if (!owner_is_disabled)
            token = readmit("ada@example.com").token;
        mel = readmit("mel@example.com");
        bob = readmit("bob@example.com");
    }

    void disable_owner()
    {
        db.sql("UPDATE users SET disabled_at = now() WHERE id = '" + user + "'");
        owner_is_disabled = true;
    }

    static api_request demote(const person& target, const std::string& with)
    {
        return patch_request("/team/" + target.user, R"({"role":"member"})", with);
    }

    static api_request remove(const person& target, const std::string& with)
    {
        return delete_request("/team/" + target.user, with);
    }

    api_request transfer(const person& to_owner)
    {
        return post_request("/team/transfer-ownership",
                            support::object({{"user_id", to_owner.user}, {"password", "long enough"}}),
                            token);
    }

    /// The number of admins with an active account.
    std::string active_admins()
    {
        return db.sql(
            "SELECT count(*) FROM memberships m JOIN users u ON u.id = m.user_id WHERE m.workspace_id = '" +
            workspace + "' AND m.role = 'admin' AND u.disabled_at IS NULL");
    }

    std::string role_of(const std::string& who)
    {
        return db.sql("SELECT role FROM memberships WHERE workspace_id = '" + workspace +
                      "' AND user_id = '" + who + "'");
    }

    bool owner_is_disabled = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(admin_races)

BOOST_FIXTURE_TEST_CASE(one_of_two_mutual_demotions_succeeds, admin_race_fixture)
{
    disable_owner();
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto both = send_concurrently(server, {demote(bob, mel.token), demote(mel, bob.token)});
        // The second caller keeps the credential and has lost the right, found by the guard or under the
        // lock.
        BOOST_TEST(summaries(both) == "200, 403 forbidden_scope");
        for (auto& answer : both)
            if (answer.status == 403u)
                BOOST_TEST(answer.text("/required") == "team:roles");
        BOOST_TEST(active_admins() == "1");
    }
}

BOOST_FIXTURE_TEST_CASE(one_of_two_mutual_removals_succeeds, admin_race_fixture)
{
    disable_owner();
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto how = summaries(send_concurrently(server, {remove(bob, mel.token), remove(mel, bob.token)}));
        BOOST_TEST(how == "204, 401 unauthorized");
        BOOST_TEST(active_admins() == "1");
    }
}

BOOST_FIXTURE_TEST_CASE(one_of_two_resigning_admins_remains, admin_race_fixture)
{
    disable_owner();
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto leaving = round % 2 == 1;
        auto both = leaving ? send_concurrently(server, {remove(mel, mel.token), remove(bob, bob.token)})
                            : send_concurrently(server, {demote(mel, mel.token), demote(bob, bob.token)});
        BOOST_TEST(summaries(both) == (leaving ? "204, 409 last_admin" : "200, 409 last_admin"));
        BOOST_TEST(active_admins() == "1");
    }
}

BOOST_FIXTURE_TEST_CASE(one_admin_remains_after_demotion_and_removal, admin_race_fixture)
{
    disable_owner();
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto both = send_concurrently(server, {demote(bob, mel.token), remove(mel, bob.token)});
        auto how = summaries(both);
        BOOST_TEST((how == "200, 403 forbidden_scope" || how == "204, 401 unauthorized"), how);
        BOOST_TEST(active_admins() == "1");
    }
}

BOOST_FIXTURE_TEST_CASE(concurrent_demotion_and_removal_remove_the_member, admin_race_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto both = send_concurrently(server, {demote(bob, token), remove(bob, mel.token)});
        auto how = summaries(both);
        BOOST_TEST((how == "200, 204" || how == "204, 404 not_found"), how);
        BOOST_TEST(role_of(bob.user) == "");
        BOOST_TEST(on_all_cores(server, get_request("/me", bob.token)) == "401 unauthorized");
    }
}

BOOST_FIXTURE_TEST_CASE(a_new_owner_is_always_an_admin, admin_race_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto against = round % 2 == 0 ? demote(bob, mel.token) : remove(bob, mel.token);
        auto both = send_concurrently(server, {transfer(bob), against});
        auto owner = db.sql("SELECT owner_id FROM workspaces WHERE id = '" + workspace + "'");
        if (both[0].status == 200u) {
            BOOST_TEST(owner == bob.user);
            BOOST_TEST(role_of(bob.user) == "admin"); // raised again, or never lowered
            BOOST_TEST((summary(both[1]) == "409 owner_protected" || summary(both[1]) == "200"),
                       summary(both[1]));
        } else {
            BOOST_TEST(summary(both[0]) == "404 not_found"); // no longer a member
            BOOST_TEST(summary(both[1]) == "204");
            BOOST_TEST(owner == user);
        }
        BOOST_TEST(active_admins() != "0");
    }
}

BOOST_FIXTURE_TEST_CASE(concurrent_transfers_succeed_once, admin_race_fixture)
{
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto both = send_concurrently(server, {transfer(mel), transfer(bob)});
        BOOST_TEST(summaries(both) == "200, 403 forbidden");
        auto new_owner = both[0].status == 200u ? mel.user : bob.user;
        BOOST_TEST(db.sql("SELECT owner_id FROM workspaces WHERE id = '" + workspace + "'") == new_owner);
    }
}

BOOST_FIXTURE_TEST_CASE(many_concurrent_demotions_leave_one_admin, admin_race_fixture)
{
    disable_owner();
    std::vector<std::string> more{"m1@example.com", "m2@example.com", "m3@example.com", "m4@example.com"};
    for (auto& email : more)
        sign_up(client, email);
    for (int round = 0; round < rounds / 3; ++round) {
        begin_round();
        std::vector<person> all{mel, bob};
        for (auto& email : more)
            all.push_back(readmit(email));
        std::vector<api_request> asked;
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto& target = all[(i + 1) % all.size()];
            asked.push_back(i % 2 == 0 ? demote(target, all[i].token) : remove(target, all[i].token));
        }
        std::map<unsigned, int> statuses;
        for (auto& answer : send_concurrently(server, asked))
            ++statuses[answer.status];
        for (auto& [status, times] : statuses)
            BOOST_TEST((status == 200 || status == 204 || status == 401 || status == 403 || status == 409),
                       status);
        BOOST_TEST(active_admins() != "0");
    }
}

BOOST_AUTO_TEST_SUITE_END()
