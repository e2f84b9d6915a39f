// The memberships and workspaces tables.
#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(memberships)

BOOST_FIXTURE_TEST_CASE(a_membership_is_found_with_its_workspace, db::test::database_fixture)
{
    auto found = run([&] { return db::memberships::find(one.db, workspace, ada); }).value();
    BOOST_TEST(found.workspace.name == "Engines");
    BOOST_TEST(found.membership.is_owner);
    BOOST_TEST((found.membership.role == db::role::admin));
    BOOST_TEST(!run([&] { return db::memberships::find(one.db, workspace, db::test::new_id()); }));
}

BOOST_FIXTURE_TEST_CASE(a_users_workspaces_are_listed_oldest_first, db::test::database_fixture)
{
    auto second = add_workspace("Second", bob);
    auto found = run([&] { return db::memberships::list(one.db, bob); });
    BOOST_REQUIRE(found.size() == 2u);
    BOOST_TEST((found[0].workspace.id == workspace));
    BOOST_TEST((found[1].workspace.id == second));
    BOOST_TEST(found[1].membership.is_owner);
}

BOOST_FIXTURE_TEST_CASE(a_user_cannot_join_twice, db::test::database_fixture)
{
    auto is_member = [](const db::failure& error) { return error.is_unique_violation("memberships_pkey"); };
    BOOST_CHECK_EXCEPTION(
        commit([&](db::batch& work) { db::memberships::add_insert(work, workspace, bob, db::role::member); }),
        db::failure, is_member);
}

BOOST_FIXTURE_TEST_CASE(a_workspace_edit_keeps_absent_members, db::test::database_fixture)
{
    db::workspaces::edit edit;
    edit.members_can_mint_keys = false;
    auto answers = commit(
        [&](db::batch& work) { db::workspaces::add_update(work.in_workspace(workspace), workspace, edit); });
    BOOST_TEST(answers.first().as_one<db::workspaces::row>().name == "Engines");
    BOOST_TEST(!run([&] { return db::workspaces::find(one.db, workspace); }).value().members_can_mint_keys);
}

BOOST_AUTO_TEST_SUITE_END()
