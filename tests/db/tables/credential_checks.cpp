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
        caller = loaded();
    }

    db::principal loaded()
    {
        one.principals.evict_all();
        return *run([&] { return one.principals.load_api_key(key.digest); });
    }

    enum class outcome { commits, revoked, rights_changed };

    /// What becomes of a batch that begins with the check.
    outcome checked()
    {
        data.sql("UPDATE workspaces SET name = 'Engines'");
        try {
            commit([&](db::batch& work) {
                db::require_valid_credential(work, caller);
                work.add(rename);
            });
        } catch (const db::failure& e) {
            BOOST_TEST(data.sql("SELECT name FROM workspaces") == "Engines");
            BOOST_TEST(db::credential_was_revoked(e) != db::rights_have_changed(e));
            return db::credential_was_revoked(e) ? outcome::revoked : outcome::rights_changed;
        }
        BOOST_TEST(data.sql("SELECT name FROM workspaces") == "Renamed");
        return outcome::commits;
    }

    bool commits() { return checked() == outcome::commits; }

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
    BOOST_TEST((checked() == outcome::revoked));
}

BOOST_FIXTURE_TEST_CASE(an_unknown_credential_fails, checked_batch)
{
    caller.credential_id = db::test::new_id();
    BOOST_TEST((checked() == outcome::revoked));
}

BOOST_FIXTURE_TEST_CASE(a_user_without_the_membership_of_the_credential_fails, checked_batch)
{
    data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "'");
    BOOST_TEST((checked() == outcome::revoked));
    add_member(workspace, bob, "member");
    BOOST_TEST((checked() == outcome::revoked));
}

BOOST_FIXTURE_TEST_CASE(each_change_of_rights_fails_until_the_caller_is_loaded_again, checked_batch)
{
    auto of_bob = " WHERE user_id = '" + to_string(bob) + "'";
    // The setting concerns members, so it changes first.
    for (auto& change : {std::string("UPDATE workspaces SET members_can_mint_keys = false"),
                         "UPDATE memberships SET role = 'admin'" + of_bob,
                         "UPDATE workspaces SET owner_id = '" + to_string(bob) + "'",
                         std::string("UPDATE api_keys SET scopes = '{team:read}'"),
                         std::string("UPDATE api_keys SET expires_at = now() + interval '1 hour'")}) {
        BOOST_TEST(commits());
        data.sql(change);
        BOOST_TEST((checked() == outcome::rights_changed), change);
        caller = loaded();
    }
    BOOST_TEST(commits());
}

BOOST_FIXTURE_TEST_CASE(a_session_is_checked_by_its_membership, checked_batch)
{
    auto ends = db::test::from_now(std::chrono::hours(1));
    db::credential_lookup token{db::test::new_digest(), add_session(bob), workspace, membership_of(bob),
                                ends};
    caller = *run([&] { return one.principals.load_session(token); });
    BOOST_TEST(commits());
    data.sql("UPDATE memberships SET role = 'manager' WHERE user_id = '" + to_string(bob) + "'");
    BOOST_TEST((checked() == outcome::rights_changed));
    data.sql("UPDATE sessions SET revoked_at = now()");
    BOOST_TEST((checked() == outcome::revoked));
}

BOOST_FIXTURE_TEST_CASE(a_workspace_key_needs_no_membership, checked_batch)
{
    data.sql("UPDATE api_keys SET user_id = NULL, role = 'admin'");
    caller = loaded();
    BOOST_TEST(!caller.user_id);
    BOOST_TEST(commits());
    data.sql("UPDATE api_keys SET role = 'member'");
    BOOST_TEST((checked() == outcome::rights_changed));
}

BOOST_AUTO_TEST_SUITE_END()
