// What a credential has under way ends with it.
#include "db/tables/credential_checks.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(credential_checks)

namespace {

struct asking : house::fixture {
    asking()
    {
        key = add_key(bob);
        who.credential_id = key.id;
        who.workspace_id = workspace;
        who.user_id = bob;
        who.role = db::role::member;
    }

    /// Whether a batch that begins with the check takes effect.
    bool stands()
    {
        data.sql("UPDATE workspaces SET name = 'Engines'");
        try {
            commit([&](db::batch& work) {
                db::require_standing(work, who);
                work.add(rename);
            });
        } catch (const db::failure& e) {
            BOOST_TEST(db::standing_was_lost(e));
            BOOST_TEST(data.sql("SELECT name FROM workspaces") == "Engines");
            return false;
        }
        return data.sql("SELECT name FROM workspaces") == "Renamed";
    }

    const db::statement rename{"test_standing_rename", "UPDATE workspaces SET name = 'Renamed'"};
    house::key key;
    db::principal who;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_live_credential_of_an_unchanged_role_stands, asking)
{
    BOOST_TEST(stands());
}

BOOST_FIXTURE_TEST_CASE(a_revoked_key_does_not, asking)
{
    data.sql("UPDATE api_keys SET revoked_at = now()");
    BOOST_TEST(!stands());
}

BOOST_FIXTURE_TEST_CASE(nor_an_unknown_credential, asking)
{
    who.credential_id = house::new_id();
    BOOST_TEST(!stands());
}

BOOST_FIXTURE_TEST_CASE(nor_one_whose_person_has_another_role_by_now_or_none, asking)
{
    data.sql("UPDATE memberships SET role = 'manager' WHERE user_id = '" + to_string(bob) + "'");
    BOOST_TEST(!stands());
    data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "'");
    BOOST_TEST(!stands());
}

BOOST_FIXTURE_TEST_CASE(a_key_of_the_workspace_rests_on_nobody, asking)
{
    data.sql("UPDATE api_keys SET user_id = NULL, role = 'admin'");
    who.user_id.reset();
    who.role = db::role::admin;
    BOOST_TEST(stands());
}

BOOST_AUTO_TEST_SUITE_END()
