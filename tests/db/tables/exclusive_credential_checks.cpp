// Exclusive credential checks: changes of a workspace's members are serialized and re-validated.
#include "db/tables/credential_checks.hpp"
#include "db/tables/team.hpp"
#include "tests/db/database_fixture.hpp"
#include "tests/support/transaction.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(exclusive_credential_checks)

namespace {

struct exclusive_fixture : db::test::database_fixture {
    exclusive_fixture()
    {
        auto key = add_key(ada);
        caller = *run([&] { return one.principals.load_api_key(key.digest); });
    }

    /** Runs the check while another transaction holds its locks, which commits once it blocks the check.
        @return whether the check had to wait, and whether it passed */
    std::pair<bool, bool> check(const std::string& others, void (*require)(db::batch&, const db::principal&))
    {
        support::transaction other(data.conninfo());
        other.sql(others);
        bool passed = true;
        bool waited = other.commit_when_blocking([&] {
            try {
                commit([&](db::batch& work) {
                    work.in_workspace(workspace);
                    require(work, caller);
                });
            } catch (const db::failure& e) {
                BOOST_TEST((db::credential_was_revoked(e) || db::rights_have_changed(e)));
                passed = false;
            }
        });
        return {waited, passed};
    }

    db::audit::entry event(std::string_view action) const
    {
        auto out = db::test::event(action);
        out.workspace_id = workspace;
        return out;
    }

    std::string lock(const std::string& strength) const
    {
        return "SELECT 1 FROM workspaces WHERE id = '" + to_string(workspace) + "' FOR " + strength;
    }

    db::team::outcome set_role(const db::uuid& user, db::role role)
    {
        return run([&] {
            return db::team::set_role(db::transaction(changes, one.db), workspace, user, role,
                                      event("team.set_role"));
        });
    }

    db::team::outcome remove(const db::uuid& user)
    {
        return run([&] {
            return db::team::remove(db::transaction(changes, one.db), workspace, user, event("team.remove"));
        });
    }

    bool transfer(const db::uuid& from_owner, const db::uuid& to_owner)
    {
        return run([&] {
            return db::team::transfer_ownership(db::transaction(changes, one.db), workspace, from_owner,
                                                to_owner, event("workspace.transfer"));
        });
    }

    db::principal caller;
};

const auto waits_and_passes = std::pair(true, true), waits_and_fails = std::pair(true, false),
           passes_at_once = std::pair(false, true);

} // namespace

BOOST_FIXTURE_TEST_CASE(an_exclusive_check_waits_for_shared_and_exclusive_locks, exclusive_fixture)
{
    BOOST_TEST((check(lock("SHARE"), &db::require_valid_credential_exclusive) == waits_and_passes));
    BOOST_TEST((check(lock("NO KEY UPDATE"), &db::require_valid_credential_exclusive) == waits_and_passes));
}

BOOST_FIXTURE_TEST_CASE(a_shared_check_waits_for_exclusive_locks_only, exclusive_fixture)
{
    BOOST_TEST((check(lock("NO KEY UPDATE"), &db::require_valid_credential) == waits_and_passes));
    BOOST_TEST((check(lock("SHARE"), &db::require_valid_credential) == passes_at_once));
}

BOOST_FIXTURE_TEST_CASE(a_check_that_waited_sees_the_committed_changes, exclusive_fixture)
{
    auto demote = lock("NO KEY UPDATE") + "; UPDATE memberships SET role = 'member' WHERE user_id = '" +
                  to_string(ada) + "'";
    BOOST_TEST((check(demote, &db::require_valid_credential_exclusive) == waits_and_fails));
    data.sql("UPDATE memberships SET role = 'admin' WHERE user_id = '" + to_string(ada) + "'");
    auto revoke = lock("NO KEY UPDATE") + "; UPDATE api_keys SET revoked_at = now()";
    BOOST_TEST((check(revoke, &db::require_valid_credential_exclusive) == waits_and_fails));
}

BOOST_FIXTURE_TEST_CASE(a_role_change_is_done_or_rejected_with_a_reason, exclusive_fixture)
{
    using db::team::outcome;
    auto eve = add_user("eve@example.net");
    BOOST_TEST((set_role(eve, db::role::member) == outcome::unknown));
    BOOST_TEST((set_role(ada, db::role::manager) == outcome::owner_protected));
    BOOST_TEST((set_role(ada, db::role::admin) == outcome::done));
    BOOST_TEST((set_role(bob, db::role::admin) == outcome::done));
    BOOST_TEST(events_of(workspace).size() == 1u); // an unchanged role is not an event
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

BOOST_FIXTURE_TEST_CASE(only_the_owner_transfers_a_workspace_to_an_enabled_member, exclusive_fixture)
{
    auto eve = add_user("eve@example.net");
    BOOST_TEST(!transfer(ada, eve));
    data.sql("UPDATE users SET disabled_at = now() WHERE id = '" + to_string(bob) + "'");
    BOOST_TEST(!transfer(ada, bob));
    data.sql("UPDATE users SET disabled_at = NULL");
    BOOST_CHECK_EXCEPTION(transfer(bob, bob), db::failure, db::credential_was_revoked);
    BOOST_TEST(events_of(workspace).empty());
    BOOST_TEST(transfer(ada, bob));
    BOOST_CHECK_EXCEPTION(transfer(ada, bob), db::failure, db::credential_was_revoked);
    BOOST_TEST(events_of(workspace).size() == 1u);
    auto found = run([&] { return db::memberships::find(one.db, workspace, bob); }).value();
    BOOST_TEST(found.membership.is_owner);
    BOOST_TEST((found.membership.role == db::role::admin));
}

BOOST_AUTO_TEST_SUITE_END()
