// The workspace of a session: switching, and the default after a membership ended.
#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(session_workspaces)

namespace {

struct session_fixture : db::test::database_fixture {
    /// The workspace of the next refresh.
    std::optional<db::uuid> refresh(std::optional<db::uuid> requested = {})
    {
        db::sessions::refresh_request request;
        request.id = session;
        request.counter = counter++;
        request.ip = "192.0.2.1";
        request.user_agent = "browser";
        request.workspace_id = requested;
        request.new_expiry = db::test::from_now(std::chrono::hours(2));
        request.audit_id = db::test::new_id();
        request.request_id = "r";
        auto done = run([&] { return db::sessions::refresh(db::transaction(changes, one.db), request); });
        BOOST_REQUIRE(done.account.has_value());
        return done.account->login_workspace ? std::optional(done.account->login_workspace->workspace.id)
                                             : std::nullopt;
    }

    std::optional<db::memberships::workspace_membership> switch_to(const db::uuid& target)
    {
        auto event = db::test::event("session.switch");
        event.workspace_id = target;
        auto switched = run([&] {
            return db::sessions::switch_to(one.db, session, bob, target, std::chrono::hours(24), event);
        });
        return switched ? switched->opened : std::nullopt;
    }

    void leave(const db::uuid& target)
    {
        data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "' AND workspace_id = '" +
                 to_string(target) + "'");
    }

    db::uuid session = add_session(bob);
    std::int64_t counter = 0;
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_session_of_an_ended_membership_switches_to_a_workspace_of_its_user, session_fixture)
{
    leave(workspace);
    BOOST_TEST(!refresh()); // none
    auto second = add_workspace("Second", bob), third = add_workspace("Third", bob);
    BOOST_TEST((refresh() == second));
    data.sql("UPDATE users SET last_workspace_id = '" + to_string(third) + "' WHERE id = '" + to_string(bob) +
             "'");
    BOOST_TEST((refresh() == second)); // the session has a workspace already
    leave(second);
    BOOST_TEST((refresh() == third)); // of several the last one used
}

BOOST_FIXTURE_TEST_CASE(a_requested_workspace_applies_to_one_refresh_only, session_fixture)
{
    auto second = add_workspace("Second", bob), foreign = add_workspace("Hers", ada);
    BOOST_TEST((refresh(second) == second));
    BOOST_TEST((refresh() == workspace));
    BOOST_TEST(!refresh(foreign));
    BOOST_TEST((refresh() == workspace));
    auto can = [&](const db::uuid& target) {
        return run([&] { return db::sessions::can_switch_to(one.db, session, target); });
    };
    BOOST_TEST(can(second));
    BOOST_TEST(!can(foreign));
    data.sql("UPDATE sessions SET revoked_at = now()");
    BOOST_TEST(!can(second));
}

BOOST_FIXTURE_TEST_CASE(a_session_switches_only_to_workspaces_of_its_user, session_fixture)
{
    auto second = add_workspace("Second", bob), foreign = add_workspace("Hers", ada);
    BOOST_TEST(!switch_to(foreign));
    BOOST_TEST(events_of(foreign).empty());
    BOOST_TEST((refresh() == workspace));
    BOOST_TEST(switch_to(second).value().membership.is_owner);
    BOOST_TEST(events_of(second).size() == 1u);
    BOOST_TEST((refresh() == second));
    BOOST_TEST((run([&] { return db::users::find(one.db, bob); }).value().last_workspace_id == second));
    data.sql("UPDATE sessions SET revoked_at = now()");
    BOOST_TEST(!switch_to(workspace));
    BOOST_TEST(events_of(workspace).empty());
}

BOOST_AUTO_TEST_SUITE_END()
