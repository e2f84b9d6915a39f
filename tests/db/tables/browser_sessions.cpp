// Sessions that a cookie identifies.
#include "db/tables/browser_sessions.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(browser_sessions)

using db::test::from_now;
using db::test::new_id;

namespace {

constexpr std::chrono::hours max_age{24 * 90};

struct cookie_fixture : db::test::database_fixture {
    db::digest cookie{1, 2, 3};
    db::uuid id = add(bob, cookie);

    db::uuid add(const db::uuid& user, const db::digest& with, std::optional<db::timestamp> signed_in_at = {})
    {
        auto draft = session_draft(user);
        draft.cookie_digest = with;
        draft.created_at = signed_in_at;
        return add_session(draft);
    }

    std::optional<db::browser_sessions::loaded> find(const db::digest& with)
    {
        return run([&] { return db::browser_sessions::find(one.db, with, max_age); });
    }

    std::optional<db::browser_sessions::renewed> renew(std::optional<db::uuid> wanted = {})
    {
        db::browser_sessions::renewal use;
        use.cookie = cookie;
        use.new_expiry = from_now(std::chrono::hours(2));
        use.max_age = max_age;
        use.workspace_id = wanted;
        return run([&] { return db::browser_sessions::renew(one.db, use); });
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(it_is_found_by_the_digest_of_its_cookie, cookie_fixture)
{
    auto second = add_workspace("Another", bob);
    auto found = find(cookie);
    BOOST_REQUIRE(found);
    BOOST_TEST((found->session.id == id));
    BOOST_TEST((found->user.id == bob));
    BOOST_TEST((found->session.workspace_id == workspace));
    BOOST_TEST(found->workspaces.size() == 2u);
    BOOST_TEST((found->workspaces.back().workspace.id == second));
    BOOST_TEST(!find(db::digest{9}));

    data.sql("UPDATE sessions SET expires_at = now()");
    BOOST_TEST(!find(cookie));
    data.sql("UPDATE sessions SET expires_at = now() + interval '1 hour', "
             "created_at = now() - interval '91 days'");
    BOOST_TEST(!find(cookie));
    data.sql("UPDATE sessions SET created_at = now(), revoked_at = now()");
    BOOST_TEST(!find(cookie));
    auto any = run([&] { return db::browser_sessions::find_any(one.db, cookie); });
    BOOST_REQUIRE(any);
    BOOST_TEST((any->id == id));
    BOOST_TEST((any->user_id == bob));
}

BOOST_FIXTURE_TEST_CASE(a_session_has_one_secret, cookie_fixture)
{
    BOOST_CHECK_THROW(add(ada, cookie), db::failure); // unique
    BOOST_CHECK_THROW(data.sql("UPDATE sessions SET refresh_salt = 'x'"), std::runtime_error);
    BOOST_CHECK_THROW(data.sql("UPDATE sessions SET cookie_digest = NULL"), std::runtime_error);
    BOOST_TEST(!run([&] { return db::sessions::find_refresh_salt(one.db, id); }));
    BOOST_TEST(!run([&] { return db::sessions::find_salt(one.db, id); }));
}

BOOST_FIXTURE_TEST_CASE(its_kind_is_listed, cookie_fixture)
{
    add_session(bob);
    auto page = run([&] { return db::sessions::list(one.db, bob, max_age, std::nullopt, 10); });
    BOOST_REQUIRE(page.rows.size() == 2u);
    BOOST_TEST((page.rows[0].kind == db::sessions::session_kind::token));
    BOOST_TEST((page.rows[1].kind == db::sessions::session_kind::browser));
}

BOOST_FIXTURE_TEST_CASE(a_use_extends_its_life, cookie_fixture)
{
    auto renewed = renew();
    BOOST_REQUIRE(renewed);
    BOOST_TEST((renewed->session.expires_at > from_now(std::chrono::minutes(90))));
    BOOST_TEST((renewed->account.user.id == bob));
    data.sql("UPDATE sessions SET created_at = now() - interval '90 days' + interval '1 minute'");
    BOOST_TEST((renew()->session.expires_at < from_now(std::chrono::minutes(2))));
    data.sql("UPDATE sessions SET expires_at = now()");
    BOOST_TEST(!renew());
}

BOOST_FIXTURE_TEST_CASE(a_sign_in_may_have_been_earlier, cookie_fixture)
{
    db::digest other{7};
    auto earlier = from_now(-std::chrono::minutes(3));
    add(bob, other, earlier);
    BOOST_TEST((find(other)->session.created_at == earlier));
}

BOOST_FIXTURE_TEST_CASE(a_token_may_be_for_another_workspace, cookie_fixture)
{
    auto second = add_workspace("Another", bob);
    auto of_ada = add_workspace("Another", ada);
    auto place_of = [&](std::optional<db::uuid> wanted) {
        auto found = renew(wanted)->account.login_workspace;
        return found ? std::optional(found->workspace.id) : std::nullopt;
    };
    BOOST_TEST((place_of({}) == workspace));
    BOOST_TEST((place_of(second) == second));
    BOOST_TEST((place_of({}) == workspace)); // the session stays
    BOOST_TEST((place_of(of_ada) == std::nullopt));
    data.sql("DELETE FROM memberships WHERE workspace_id = '" + to_string(workspace) + "' AND user_id = '" +
             to_string(bob) + "'");
    BOOST_TEST((place_of({}) == second));
    data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "'");
    BOOST_TEST((place_of({}) == std::nullopt));
}

BOOST_FIXTURE_TEST_CASE(a_replaced_session_ends_with_an_event_of_its_user, cookie_fixture)
{
    auto replaced = run([&] { return db::browser_sessions::find_any(one.db, cookie); });
    BOOST_REQUIRE(replaced);
    auto event = db::test::event("session.replace");
    auto end = [&] {
        commit([&](db::batch& work) { db::browser_sessions::add_end_replaced(work, *replaced, event); });
    };
    end();
    BOOST_TEST(!find(cookie));
    event.id = new_id();
    end(); // once
    auto events = events_of(workspace);
    BOOST_REQUIRE(events.size() == 1u);
    BOOST_TEST((events[0].actor_id == bob));
    BOOST_TEST((events[0].credential_id == id));
}

// The statements that end it lock the workspace that was read: another one gets no event.
BOOST_FIXTURE_TEST_CASE(an_event_is_of_no_workspace_after_a_switch, cookie_fixture)
{
    auto replaced = run([&] { return db::browser_sessions::find_any(one.db, cookie); });
    auto second = add_workspace("Another", bob);
    data.sql("UPDATE sessions SET workspace_id = '" + to_string(second) + "'");
    auto event = db::test::event("session.replace");
    commit([&](db::batch& work) { db::browser_sessions::add_end_replaced(work, *replaced, event); });
    BOOST_TEST(!find(cookie));
    BOOST_TEST(events_of(workspace).empty());
    BOOST_TEST(events_of(second).empty());
    BOOST_TEST(data.sql("SELECT count(*) FROM audit WHERE workspace_id IS NULL") == "1");
}

BOOST_AUTO_TEST_SUITE_END()
