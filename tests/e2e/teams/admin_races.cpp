// Those who change the team at the same instant: one after the other decides, and somebody is left who can
// act.
#include "tests/e2e/support/all_cores.hpp"
#include "tests/e2e/support/members.hpp"

#include <map>
#include <string>

using namespace flows;

namespace {

constexpr int rounds = 25;

/// Mel and Bob are admins too.
struct admins : team {
    /// Make somebody an admin again, whatever has become of them. @return signed in anew, so that no core
    /// remembers them
    person readmit(const std::string& email)
    {
        db.sql("INSERT INTO memberships (workspace_id, user_id, role) SELECT '" + workspace +
               "', id, 'admin' FROM users WHERE email = '" + email +
               "' ON CONFLICT (workspace_id, user_id) DO UPDATE SET role = 'admin'; UPDATE users SET "
               "last_workspace_id = '" +
               workspace + "' WHERE email = '" + email + "'");
        auto who = log_in(client, email);
        BOOST_REQUIRE(who.workspace == workspace);
        BOOST_REQUIRE(everywhere(server, to_get("/audit", who.token)) == "200");
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

    static question demote(const person& whom, const std::string& with)
    {
        return to_patch("/team/" + whom.user, R"({"role":"member"})", with);
    }

    static question remove(const person& whom, const std::string& with)
    {
        return to_delete("/team/" + whom.user, with);
    }

    question transfer(const person& heir)
    {
        return to_post("/team/transfer-ownership",
                       support::object({{"user_id", heir.user}, {"password", "long enough"}}), token);
    }

    /// Admins who can act, as stored.
    std::string acting_admins()
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

BOOST_FIXTURE_TEST_CASE(of_two_admins_who_demote_each_other_one_wins, admins)
{
    disable_owner();
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto both = at_once(server, {demote(bob, mel.token), demote(mel, bob.token)});
        auto how = verdicts(both);
        // Whoever comes second is an admin no more, as the lock or the cache tells it.
        BOOST_TEST((how == "200, 401 unauthorized" || how == "200, 403 forbidden_scope"), how);
        BOOST_TEST(acting_admins() == "1");
    }
}

BOOST_FIXTURE_TEST_CASE(of_two_admins_who_remove_each_other_one_wins, admins)
{
    disable_owner();
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto how = verdicts(at_once(server, {remove(bob, mel.token), remove(mel, bob.token)}));
        BOOST_TEST(how == "204, 401 unauthorized");
        BOOST_TEST(acting_admins() == "1");
    }
}

BOOST_FIXTURE_TEST_CASE(of_two_admins_who_step_back_one_has_to_stay, admins)
{
    disable_owner();
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto leaving = round % 2 == 1;
        auto both = leaving ? at_once(server, {remove(mel, mel.token), remove(bob, bob.token)})
                            : at_once(server, {demote(mel, mel.token), demote(bob, bob.token)});
        BOOST_TEST(verdicts(both) == (leaving ? "204, 409 last_admin" : "200, 409 last_admin"));
        BOOST_TEST(acting_admins() == "1");
    }
}

BOOST_FIXTURE_TEST_CASE(demotion_and_removal_leave_one_too, admins)
{
    disable_owner();
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto both = at_once(server, {demote(bob, mel.token), remove(mel, bob.token)});
        auto how = verdicts(both);
        BOOST_TEST((how == "200, 401 unauthorized" || how == "200, 403 forbidden_scope" ||
                    how == "204, 401 unauthorized"),
                   how);
        BOOST_TEST(acting_admins() == "1");
    }
}

BOOST_FIXTURE_TEST_CASE(who_is_demoted_and_removed_at_once_is_gone, admins)
{
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto both = at_once(server, {demote(bob, token), remove(bob, mel.token)});
        auto how = verdicts(both);
        BOOST_TEST((how == "200, 204" || how == "204, 404 not_found"), how);
        BOOST_TEST(role_of(bob.user) == "");
        BOOST_TEST(everywhere(server, to_get("/me", bob.token)) == "401 unauthorized");
    }
}

BOOST_FIXTURE_TEST_CASE(an_heir_is_never_left_below_an_admin, admins)
{
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto against = round % 2 == 0 ? demote(bob, mel.token) : remove(bob, mel.token);
        auto both = at_once(server, {transfer(bob), against});
        auto owner = db.sql("SELECT owner_id FROM workspaces WHERE id = '" + workspace + "'");
        if (both[0].status == 200u) {
            BOOST_TEST(owner == bob.user);
            BOOST_TEST(role_of(bob.user) == "admin"); // raised again, or never lowered
            BOOST_TEST((verdict(both[1]) == "409 owner_protected" || verdict(both[1]) == "200"),
                       verdict(both[1]));
        } else {
            BOOST_TEST(verdict(both[0]) == "404 not_found"); // no member any more
            BOOST_TEST(verdict(both[1]) == "204");
            BOOST_TEST(owner == user);
        }
        BOOST_TEST(acting_admins() != "0");
    }
}

BOOST_FIXTURE_TEST_CASE(a_workspace_is_given_away_once, admins)
{
    for (int round = 0; round < rounds; ++round) {
        begin_round();
        auto both = at_once(server, {transfer(mel), transfer(bob)});
        auto how = verdicts(both);
        BOOST_TEST((how == "200, 401 unauthorized" || how == "200, 403 forbidden"), how);
        auto heir = both[0].status == 200u ? mel.user : bob.user;
        BOOST_TEST(db.sql("SELECT owner_id FROM workspaces WHERE id = '" + workspace + "'") == heir);
    }
}

BOOST_FIXTURE_TEST_CASE(many_who_all_demote_all_leave_one, admins)
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
        std::vector<question> asked;
        for (std::size_t i = 0; i < all.size(); ++i) {
            auto& whom = all[(i + 1) % all.size()];
            asked.push_back(i % 2 == 0 ? demote(whom, all[i].token) : remove(whom, all[i].token));
        }
        std::map<unsigned, int> statuses;
        for (auto& answer : at_once(server, asked))
            ++statuses[answer.status];
        for (auto& [status, times] : statuses)
            BOOST_TEST((status == 200 || status == 204 || status == 401 || status == 403 || status == 409),
                       status);
        BOOST_TEST(acting_admins() != "0");
    }
}

BOOST_AUTO_TEST_SUITE_END()
