// Credential checks: a batch of a revoked or changed credential has no effect.
#include "db/tables/credential_checks.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(credential_checks)

namespace {

struct checked_batch : db::test::database_fixture {
    checked_batch()
    {
        key = add_key(bob);
        caller.credential_id = key.id;
        caller.workspace_id = workspace;
        caller.user_id = bob;
        caller.role = db::role::member;
    }

    /// Whether a batch that begins with the check is committed.
    bool commits()
    {
        data.sql("UPDATE workspaces SET name = 'Engines'");
        try {
            commit([&](db::batch& work) {
                db::require_valid_credential(work, caller);
                work.add(rename);
            });
        } catch (const db::failure& e) {
            BOOST_TEST(db::credential_was_revoked(e));
            BOOST_TEST(data.sql("SELECT name FROM workspaces") == "Engines");
            return false;
        }
        return data.sql("SELECT name FROM workspaces") == "Renamed";
    }

    const db::statement rename{"test_credential_check_rename", "UPDATE workspaces SET name = 'Renamed'"};
    db::test::key key;
    db::principal caller;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_valid_credential_with_an_unchanged_role_passes, checked_batch)
{
    BOOST_TEST(commits());
}

BOOST_FIXTURE_TEST_CASE(a_revoked_key_fails, checked_batch)
{
    data.sql("UPDATE api_keys SET revoked_at = now()");
    BOOST_TEST(!commits());
}

BOOST_FIXTURE_TEST_CASE(an_unknown_credential_fails, checked_batch)
{
    caller.credential_id = db::test::new_id();
    BOOST_TEST(!commits());
}

BOOST_FIXTURE_TEST_CASE(a_user_with_a_changed_or_missing_role_fails, checked_batch)
{
    data.sql("UPDATE memberships SET role = 'manager' WHERE user_id = '" + to_string(bob) + "'");
    BOOST_TEST(!commits());
    data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "'");
    BOOST_TEST(!commits());
}

BOOST_FIXTURE_TEST_CASE(a_workspace_key_needs_no_membership, checked_batch)
{
    data.sql("UPDATE api_keys SET user_id = NULL, role = 'admin'");
    caller.user_id.reset();
    caller.role = db::role::admin;
    BOOST_TEST(commits());
}

BOOST_AUTO_TEST_SUITE_END()
