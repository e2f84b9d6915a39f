// A workspace is held alone by who changes its people, and what was decided before is decided again.
#include "db/tables/credential_checks.hpp"
#include "db/tables/team.hpp"
#include "tests/db/database_fixture.hpp"
#include "tests/support/transaction.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(exclusive_credential_checks)

namespace {

struct alone : house::fixture {
    alone()
    {
        who.credential_id = add_key(ada).id;
        who.workspace_id = workspace;
        who.user_id = ada;
        who.role = db::role::admin;
    }

    /** Run the check while somebody else's transaction has done something, until either waits for the other.
        @return whether the check had to wait, and whether it held */
    std::pair<bool, bool> check(const std::string& others, void (*require)(db::batch&, const db::principal&))
    {
        support::transaction other(data.conninfo());
        other.sql(others);
        auto waited = other.commit_when_waited_for();
        bool held = true;
        try {
            commit([&](db::batch& work) {
                work.within(workspace);
                require(work, who);
            });
        } catch (const db::failure& e) {
            BOOST_TEST(db::standing_was_lost(e));
            held = false;
        }
        return {waited.get(), held};
    }

    db::audit::entry event(std::string_view action) const
    {
        auto out = house::event(action);
        out.workspace_id = workspace;
        return out;
    }

    std::string lock(const std::string& strength) const
    {
        return "SELECT 1 FROM workspaces WHERE id = '" + to_string(workspace) + "' FOR " + strength;
    }

    db::team::outcome set_role(const db::uuid& whom, db::role role)
    {
        return run([&] {
            return db::team::set_role(changes, one.db, db::batch(), workspace, whom, role,
                                      event("team.set_role"));
        });
    }

    db::team::outcome remove(const db::uuid& whom)
    {
        return run([&] {
            return db::team::remove(changes, one.db, db::batch(), workspace, whom, event("team.remove"));
        });
    }

    bool transfer(const db::uuid& giver, const db::uuid& heir)
    {
        return run([&] {
            return db::team::transfer_ownership(changes, one.db, db::batch(), workspace, giver, heir,
                                                event("workspace.transfer"));
        });
    }

    db::principal who;
};

const auto wait_and_hold = std::pair(true, true), wait_and_fail = std::pair(true, false),
           hold_at_once = std::pair(false, true);

} // namespace

BOOST_FIXTURE_TEST_CASE(who_is_alone_waits_for_whoever_relies_on_the_workspace, alone)
{
    BOOST_TEST((check(lock("SHARE"), &db::require_sole_standing) == wait_and_hold));
    BOOST_TEST((check(lock("NO KEY UPDATE"), &db::require_sole_standing) == wait_and_hold));
}

BOOST_FIXTURE_TEST_CASE(those_who_only_rely_on_it_wait_for_who_is_alone_and_not_for_each_other, alone)
{
    BOOST_TEST((check(lock("NO KEY UPDATE"), &db::require_standing) == wait_and_hold));
    BOOST_TEST((check(lock("SHARE"), &db::require_standing) == hold_at_once));
}

BOOST_FIXTURE_TEST_CASE(what_was_changed_meanwhile_is_seen, alone)
{
    auto demote = lock("NO KEY UPDATE") + "; UPDATE memberships SET role = 'member' WHERE user_id = '" +
                  to_string(ada) + "'";
    BOOST_TEST((check(demote, &db::require_sole_standing) == wait_and_fail));
    data.sql("UPDATE memberships SET role = 'admin' WHERE user_id = '" + to_string(ada) + "'");
    auto revoke = lock("NO KEY UPDATE") + "; UPDATE api_keys SET revoked_at = now()";
    BOOST_TEST((check(revoke, &db::require_sole_standing) == wait_and_fail));
}

BOOST_FIXTURE_TEST_CASE(a_role_is_given_or_it_is_said_why_not, alone)
{
    using db::team::outcome;
    auto eve = add_user("eve@example.net");
    BOOST_TEST((set_role(eve, db::role::member) == outcome::unknown));
    BOOST_TEST((set_role(ada, db::role::manager) == outcome::owner_protected));
    BOOST_TEST((set_role(ada, db::role::admin) == outcome::done));
    BOOST_TEST((set_role(bob, db::role::admin) == outcome::done));
    BOOST_TEST(events_of(workspace).size() == 1u); // what is as it was is no event
    data.sql("UPDATE users SET disabled_at = now() WHERE id = '" + to_string(ada) + "'");
    BOOST_TEST((set_role(bob, db::role::member) == outcome::last_admin));
    BOOST_TEST((remove(bob) == outcome::last_admin));
    BOOST_TEST((remove(ada) == outcome::owner_protected));
    BOOST_TEST((remove(eve) == outcome::unknown));
    BOOST_TEST(events_of(workspace).size() == 1u);
    data.sql("UPDATE users SET disabled_at = NULL");
    BOOST_TEST((remove(bob) == outcome::done));
    BOOST_TEST((remove(bob) == outcome::unknown));
    BOOST_TEST(events_of(workspace).size() == 2u);
}

BOOST_FIXTURE_TEST_CASE(only_the_owner_gives_a_workspace_to_a_member_who_can_act, alone)
{
    auto eve = add_user("eve@example.net");
    BOOST_TEST(!transfer(ada, eve));
    data.sql("UPDATE users SET disabled_at = now() WHERE id = '" + to_string(bob) + "'");
    BOOST_TEST(!transfer(ada, bob));
    data.sql("UPDATE users SET disabled_at = NULL");
    BOOST_CHECK_EXCEPTION(transfer(bob, bob), db::failure, db::standing_was_lost);
    BOOST_TEST(events_of(workspace).empty());
    BOOST_TEST(transfer(ada, bob));
    BOOST_CHECK_EXCEPTION(transfer(ada, bob), db::failure, db::standing_was_lost);
    BOOST_TEST(events_of(workspace).size() == 1u);
    auto place = run([&] { return db::memberships::find(one.db, workspace, bob); }).value();
    BOOST_TEST(place.membership.is_owner);
    BOOST_TEST((place.membership.role == db::role::admin));
}

BOOST_AUTO_TEST_SUITE_END()
