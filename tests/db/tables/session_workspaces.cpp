// Where a session leads to, when the workspace that it led to is no longer its person's.
#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(session_workspaces)

namespace {

struct leading : house::fixture {
    /// The workspace that the next refresh leads to.
    std::optional<db::uuid> refresh(std::optional<db::uuid> wanted = {})
    {
        db::sessions::attempt with;
        with.id = session;
        with.counter = counter++;
        with.ip = "192.0.2.1";
        with.user_agent = "browser";
        with.workspace_id = wanted;
        with.new_expiry = house::in(std::chrono::hours(2));
        with.audit_id = house::new_id();
        with.request_id = "r";
        auto done = run([&] { return db::sessions::refresh(changes, one.db, with); });
        BOOST_REQUIRE(done.account.has_value());
        return done.account->place ? std::optional(done.account->place->workspace.id) : std::nullopt;
    }

    std::optional<db::memberships::place> lead_to(const db::uuid& where)
    {
        auto event = house::event("session.switch");
        event.workspace_id = where;
        return run([&] { return db::sessions::lead_to(one.db, session, bob, where, event); });
    }

    void leave(const db::uuid& where)
    {
        data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "' AND workspace_id = '" +
                 to_string(where) + "'");
    }

    db::uuid session = add_session(bob);
    std::int64_t counter = 0;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_session_made_while_its_membership_ended_leads_to_where_its_person_is, leading)
{
    leave(workspace);
    BOOST_TEST(!refresh()); // nowhere
    auto second = add_workspace("Second", bob), third = add_workspace("Third", bob);
    BOOST_TEST((refresh() == second));
    data.sql("UPDATE users SET last_workspace_id = '" + to_string(third) + "' WHERE id = '" + to_string(bob) +
             "'");
    BOOST_TEST((refresh() == second)); // it leads somewhere already
    leave(second);
    BOOST_TEST((refresh() == third)); // the last that was used, where there are several
}

BOOST_FIXTURE_TEST_CASE(a_wish_is_heard_once_and_moves_nothing, leading)
{
    auto second = add_workspace("Second", bob), foreign = add_workspace("Hers", ada);
    BOOST_TEST((refresh(second) == second));
    BOOST_TEST((refresh() == workspace));
    BOOST_TEST(!refresh(foreign));
    BOOST_TEST((refresh() == workspace));
    auto can = [&](const db::uuid& where) {
        return run([&] { return db::sessions::can_lead_to(one.db, session, where); });
    };
    BOOST_TEST(can(second));
    BOOST_TEST(!can(foreign));
    data.sql("UPDATE sessions SET revoked_at = now()");
    BOOST_TEST(!can(second));
}

BOOST_FIXTURE_TEST_CASE(a_session_is_led_to_where_its_person_belongs_and_nowhere_else, leading)
{
    auto second = add_workspace("Second", bob), foreign = add_workspace("Hers", ada);
    BOOST_TEST(!lead_to(foreign));
    BOOST_TEST(events_of(foreign).empty());
    BOOST_TEST((refresh() == workspace));
    BOOST_TEST(lead_to(second).value().membership.is_owner);
    BOOST_TEST(events_of(second).size() == 1u);
    BOOST_TEST((refresh() == second));
    BOOST_TEST((run([&] { return db::users::find(one.db, bob); }).value().last_workspace_id == second));
    data.sql("UPDATE sessions SET revoked_at = now()");
    BOOST_TEST(!lead_to(workspace));
    BOOST_TEST(events_of(workspace).empty());
}

BOOST_AUTO_TEST_SUITE_END()
