#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(memberships)

BOOST_FIXTURE_TEST_CASE(a_place_tells_the_workspace_and_the_standing_in_it, house::fixture)
{
    auto place = run([&] { return db::memberships::find(one.db, workspace, ada); }).value();
    BOOST_TEST(place.workspace.name == "Engines");
    BOOST_TEST(place.membership.is_owner);
    BOOST_TEST((place.membership.role == db::role::admin));
    BOOST_TEST(!run([&] { return db::memberships::find(one.db, workspace, house::new_id()); }));
}

BOOST_FIXTURE_TEST_CASE(a_users_workspaces_are_listed_the_oldest_first, house::fixture)
{
    auto second = add_workspace("Second", bob);
    auto places = run([&] { return db::memberships::list(one.db, bob); });
    BOOST_REQUIRE(places.size() == 2u);
    BOOST_TEST((places[0].workspace.id == workspace));
    BOOST_TEST((places[1].workspace.id == second));
    BOOST_TEST(places[1].membership.is_owner);
}

BOOST_FIXTURE_TEST_CASE(nobody_joins_twice, house::fixture)
{
    auto is_member = [](const db::failure& error) { return error.is_unique_violation("memberships_pkey"); };
    BOOST_CHECK_EXCEPTION(
        commit([&](db::batch& work) { db::memberships::add_insert(work, workspace, bob, db::role::member); }),
        db::failure, is_member);
}

BOOST_FIXTURE_TEST_CASE(a_workspace_is_edited_member_by_member, house::fixture)
{
    db::workspaces::edit edit;
    edit.members_can_mint_keys = false;
    auto answers =
        commit([&](db::batch& work) { db::workspaces::add_update(work.within(workspace), workspace, edit); });
    BOOST_TEST(answers.first().as_one<db::workspaces::row>().name == "Engines");
    BOOST_TEST(!run([&] { return db::workspaces::find(one.db, workspace); }).value().members_can_mint_keys);
}

BOOST_AUTO_TEST_SUITE_END()
