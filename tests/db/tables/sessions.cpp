// The sessions table: refresh token rotation, reuse detection, listing and revocation.
#include "tests/db/database_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(sessions)

using db::sessions::refresh_outcome;
using db::test::from_now;
using db::test::new_id;

namespace {

constexpr std::chrono::hours max_age{24 * 90};

struct refresh_fixture : db::test::database_fixture {
    db::uuid id = add_session(bob);

    db::sessions::refresh_request request(std::int64_t counter, std::string ip = "192.0.2.1",
                                          std::string agent = "browser") const
    {
        db::sessions::refresh_request out;
        out.id = id;
        out.counter = counter;
        out.ip = std::move(ip);
        out.user_agent = std::move(agent);
        out.new_expiry = from_now(std::chrono::hours(2));
        out.audit_id = new_id();
        out.request_id = "r2";
        return out;
    }

    db::sessions::refresh_result refresh(db::sessions::refresh_request with)
    {
        return run([&] { return db::sessions::refresh(db::transaction(changes, one.db), with); });
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_refresh_rotates_the_token_and_returns_the_user, refresh_fixture)
{
    auto done = refresh(request(0));
    BOOST_TEST((done.outcome == refresh_outcome::renewed));
    BOOST_TEST(done.counter == 1);
    BOOST_TEST((done.account.value().login_workspace.value().workspace.id == workspace));
    BOOST_TEST((done.account.value().user.id == bob));
    BOOST_TEST((done.account.value().login_workspace.value().membership.role == db::role::member));
    BOOST_TEST((done.expires_at > from_now(std::chrono::minutes(90))));
    BOOST_TEST(run([&] { return db::sessions::find_refresh_salt(one.db, id); }).value().size() == 16u);
}

BOOST_FIXTURE_TEST_CASE(a_retry_gets_the_same_successor_while_it_is_unused, refresh_fixture)
{
    refresh(request(0));
    auto again = refresh(request(0));
    BOOST_TEST((again.outcome == refresh_outcome::renewed));
    BOOST_TEST(again.counter == 1);
    BOOST_TEST((refresh(request(0, "198.51.100.1")).outcome == refresh_outcome::renewed));
    BOOST_TEST((refresh(request(0, "192.0.2.1", "other")).outcome == refresh_outcome::renewed));

    BOOST_TEST((refresh(request(1)).outcome == refresh_outcome::renewed));
    BOOST_TEST((refresh(request(0)).outcome == refresh_outcome::reused));
}

BOOST_FIXTURE_TEST_CASE(reuse_revokes_the_session_and_records_an_event, refresh_fixture)
{
    refresh(request(0));
    auto stolen = refresh(request(0, "198.51.100.1", "other"));
    BOOST_TEST((stolen.outcome == refresh_outcome::reused));
    BOOST_TEST(!stolen.account);
    BOOST_TEST((refresh(request(1)).outcome == refresh_outcome::gone));
    auto events = events_of(workspace);
    BOOST_REQUIRE(events.size() == 1u);
    BOOST_TEST(events[0].action == "session.reuse");
    BOOST_TEST(events[0].ip == "198.51.100.1");
    BOOST_TEST((events[0].credential_id == id));
    BOOST_TEST((events[0].actor_id == bob));
}

BOOST_FIXTURE_TEST_CASE(after_the_grace_period_a_retry_is_reuse, refresh_fixture)
{
    refresh(request(0));
    data.sql("UPDATE sessions SET refreshed_at = refreshed_at - interval '11 seconds'");
    BOOST_TEST((refresh(request(0)).outcome == refresh_outcome::reused));
}

BOOST_FIXTURE_TEST_CASE(an_expired_or_unknown_session_is_gone, refresh_fixture)
{
    BOOST_TEST((refresh(request(5)).outcome == refresh_outcome::gone)); // issued before a restore
    BOOST_TEST((refresh(request(0)).outcome == refresh_outcome::renewed));
    data.sql("UPDATE sessions SET expires_at = now()");
    BOOST_TEST((refresh(request(1)).outcome == refresh_outcome::gone));
    id = new_id();
    BOOST_TEST((refresh(request(0)).outcome == refresh_outcome::gone));
}

BOOST_FIXTURE_TEST_CASE(concurrent_refreshes_get_the_same_successor, refresh_fixture)
{
    for (std::int64_t counter = 0; counter < 10; ++counter) {
        int renewed = 0, pending = 8;
        auto ask = [&](db::sessions::refresh_request with) -> db::awaitable<void> {
            auto done = co_await db::sessions::refresh(db::transaction(changes, one.db), std::move(with));
            renewed += done.outcome == refresh_outcome::renewed;
            BOOST_TEST(done.counter == counter + 1);
            --pending;
        };
        for (int i = 0; i < 8; ++i)
            boost::asio::co_spawn(one.io, ask(request(counter)), boost::asio::detached);
        while (pending > 0)
            one.io.run_one();
        BOOST_TEST(renewed == 8);
    }
}

BOOST_FIXTURE_TEST_CASE(no_refresh_extends_a_session_beyond_its_maximum_age, refresh_fixture)
{
    auto with = request(0);
    with.max_age = std::chrono::hours(1); // less than the new expiry
    auto done = refresh(with);
    BOOST_TEST((done.outcome == refresh_outcome::renewed));
    BOOST_TEST((done.expires_at <= from_now(std::chrono::minutes(61))));
    data.sql("UPDATE sessions SET created_at = now() - interval '50 minutes'");
    with.counter = 1;
    done = refresh(with);
    BOOST_TEST((done.expires_at <= from_now(std::chrono::minutes(11))));
    BOOST_TEST(data.sql("SELECT expires_at = created_at + interval '1 hour' FROM sessions") == "t");
    data.sql("UPDATE sessions SET created_at = now() - interval '1 hour'");
    with.counter = 2;
    BOOST_TEST((refresh(with).outcome == refresh_outcome::gone));
    auto shown = run([&] { return db::sessions::list(one.db, bob, with.max_age, std::nullopt, 3); });
    BOOST_TEST(shown.rows.empty());
    BOOST_TEST(shown.total == 0);
}

BOOST_FIXTURE_TEST_CASE(sessions_are_listed_newest_first_and_paged, db::test::database_fixture)
{
    std::vector<db::uuid> made;
    for (int i = 0; i < 5; ++i)
        made.push_back(add_session(bob));
    add_session(bob, std::chrono::seconds(-1));
    add_session(ada);
    auto first = run([&] { return db::sessions::list(one.db, bob, max_age, std::nullopt, 3); });
    BOOST_TEST(first.total == 5);
    BOOST_REQUIRE(first.rows.size() == 3u);
    BOOST_TEST((first.rows[0].id == made[4]));
    auto second = run([&] { return db::sessions::list(one.db, bob, max_age, first.rows[2].id, 3); });
    BOOST_REQUIRE(second.rows.size() == 2u);
    BOOST_TEST((second.rows[1].id == made[0]));
}

BOOST_FIXTURE_TEST_CASE(revoking_a_session_twice_records_one_event, db::test::database_fixture)
{
    auto id = add_session(bob);
    auto revoke = [&](db::uuid which, db::uuid user) {
        auto event = db::test::event("session.revoke");
        event.workspace_id = workspace;
        return run(
            [&] { return db::sessions::revoke(db::transaction(changes, one.db), which, user, event); });
    };
    BOOST_TEST(!revoke(id, ada));
    BOOST_TEST(revoke(id, bob));
    BOOST_TEST(revoke(id, bob));
    BOOST_TEST(!revoke(new_id(), bob));
    BOOST_TEST(events_of(workspace).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(all_other_sessions_are_revoked, db::test::database_fixture)
{
    auto kept = add_session(bob), other = add_session(bob), adas = add_session(ada);
    auto revoked = run([&] {
        return db::sessions::revoke_others(db::transaction(changes, one.db), bob, kept, db::test::event("x"));
    });
    BOOST_REQUIRE(revoked.size() == 1u);
    BOOST_TEST((revoked[0] == other));
    for (auto id : {kept, adas})
        BOOST_TEST(run([&] { return db::sessions::find_refresh_salt(one.db, id); }).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_login_in_flight_fails_after_a_password_change, db::test::database_fixture)
{
    commit([&](db::batch& work) { db::users::add_set_password(work, bob, "new hash"); });
    BOOST_CHECK_EXCEPTION(add_session(bob), db::failure, db::sessions::was_outdated);
}

BOOST_AUTO_TEST_SUITE_END()
