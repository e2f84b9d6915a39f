#include "tests/db/database_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(sessions)

using db::sessions::refresh_outcome;
using house::in;
using house::new_id;

namespace {

struct refreshing : house::fixture {
    db::uuid id = add_session(bob);

    db::sessions::attempt attempt(std::int64_t counter, std::string ip = "192.0.2.1",
                                  std::string agent = "browser") const
    {
        db::sessions::attempt out;
        out.id = id;
        out.counter = counter;
        out.ip = std::move(ip);
        out.user_agent = std::move(agent);
        out.new_expiry = in(std::chrono::hours(2));
        out.audit_id = new_id();
        out.request_id = "r2";
        return out;
    }

    db::sessions::refreshed refresh(db::sessions::attempt with)
    {
        return run([&] { return db::sessions::refresh(changes, one.db, with); });
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_refresh_rotates_and_tells_who_it_is, refreshing)
{
    auto done = refresh(attempt(0));
    BOOST_TEST((done.outcome == refresh_outcome::renewed));
    BOOST_TEST(done.counter == 1);
    BOOST_TEST((done.account.value().place.value().workspace.id == workspace));
    BOOST_TEST((done.account.value().user.id == bob));
    BOOST_TEST((done.account.value().place.value().membership.role == db::role::member));
    BOOST_TEST((done.expires_at > in(std::chrono::minutes(90))));
    BOOST_TEST(run([&] { return db::sessions::find_refresh_salt(one.db, id); }).value().size() == 16u);
}

BOOST_FIXTURE_TEST_CASE(a_retry_gets_the_same_successor_while_that_is_unused, refreshing)
{
    refresh(attempt(0));
    auto again = refresh(attempt(0));
    BOOST_TEST((again.outcome == refresh_outcome::renewed));
    BOOST_TEST(again.counter == 1);
    BOOST_TEST((refresh(attempt(0, "198.51.100.1")).outcome == refresh_outcome::renewed));
    BOOST_TEST((refresh(attempt(0, "192.0.2.1", "other")).outcome == refresh_outcome::renewed));

    BOOST_TEST((refresh(attempt(1)).outcome == refresh_outcome::renewed));
    BOOST_TEST((refresh(attempt(0)).outcome == refresh_outcome::reused));
}

BOOST_FIXTURE_TEST_CASE(reuse_ends_the_session_and_is_noted, refreshing)
{
    refresh(attempt(0));
    auto stolen = refresh(attempt(0, "198.51.100.1", "other"));
    BOOST_TEST((stolen.outcome == refresh_outcome::reused));
    BOOST_TEST(!stolen.account);
    BOOST_TEST((refresh(attempt(1)).outcome == refresh_outcome::gone));
    auto events = events_of(workspace);
    BOOST_REQUIRE(events.size() == 1u);
    BOOST_TEST(events[0].action == "session.reuse");
    BOOST_TEST(events[0].ip == "198.51.100.1");
    BOOST_TEST((events[0].credential_id == id));
    BOOST_TEST((events[0].actor_id == bob));
}

BOOST_FIXTURE_TEST_CASE(after_the_grace_a_retry_is_reuse, refreshing)
{
    refresh(attempt(0));
    data.sql("UPDATE sessions SET refreshed_at = refreshed_at - interval '11 seconds'");
    BOOST_TEST((refresh(attempt(0)).outcome == refresh_outcome::reused));
}

BOOST_FIXTURE_TEST_CASE(what_has_ended_or_never_was_is_gone, refreshing)
{
    BOOST_TEST((refresh(attempt(5)).outcome == refresh_outcome::gone)); // of a database since restored
    BOOST_TEST((refresh(attempt(0)).outcome == refresh_outcome::renewed));
    data.sql("UPDATE sessions SET expires_at = now()");
    BOOST_TEST((refresh(attempt(1)).outcome == refresh_outcome::gone));
    id = new_id();
    BOOST_TEST((refresh(attempt(0)).outcome == refresh_outcome::gone));
}

BOOST_FIXTURE_TEST_CASE(of_many_at_once_one_spends_and_all_get_the_same_successor, refreshing)
{
    for (std::int64_t counter = 0; counter < 10; ++counter) {
        int renewed = 0, waiting = 8;
        auto ask = [&](db::sessions::attempt with) -> db::awaitable<void> {
            auto done = co_await db::sessions::refresh(changes, one.db, std::move(with));
            renewed += done.outcome == refresh_outcome::renewed;
            BOOST_TEST(done.counter == counter + 1);
            --waiting;
        };
        for (int i = 0; i < 8; ++i)
            boost::asio::co_spawn(one.io, ask(attempt(counter)), boost::asio::detached);
        while (waiting > 0)
            one.io.run_one();
        BOOST_TEST(renewed == 8);
    }
}

BOOST_FIXTURE_TEST_CASE(sessions_are_listed_newest_first_and_paged, house::fixture)
{
    std::vector<db::uuid> made;
    for (int i = 0; i < 5; ++i)
        made.push_back(add_session(bob));
    add_session(bob, std::chrono::seconds(-1));
    add_session(ada);
    auto first = run([&] { return db::sessions::list(one.db, bob, std::nullopt, 3); });
    BOOST_TEST(first.total == 5);
    BOOST_REQUIRE(first.rows.size() == 3u);
    BOOST_TEST((first.rows[0].id == made[4]));
    auto second = run([&] { return db::sessions::list(one.db, bob, first.rows[2].id, 3); });
    BOOST_REQUIRE(second.rows.size() == 2u);
    BOOST_TEST((second.rows[1].id == made[0]));
}

BOOST_FIXTURE_TEST_CASE(ending_a_session_twice_is_one_event, house::fixture)
{
    auto id = add_session(bob);
    auto revoke = [&](db::uuid which, db::uuid whose) {
        auto event = house::event("session.revoke");
        event.workspace_id = workspace;
        return run([&] { return db::sessions::revoke(changes, one.db, which, whose, event); });
    };
    BOOST_TEST(!revoke(id, ada));
    BOOST_TEST(revoke(id, bob));
    BOOST_TEST(revoke(id, bob));
    BOOST_TEST(!revoke(new_id(), bob));
    BOOST_TEST(events_of(workspace).size() == 1u);
}

BOOST_FIXTURE_TEST_CASE(all_others_are_ended_and_the_kept_one_lives, house::fixture)
{
    auto kept = add_session(bob), other = add_session(bob), hers = add_session(ada);
    auto ended =
        run([&] { return db::sessions::revoke_others(changes, one.db, bob, kept, house::event("x")); });
    BOOST_REQUIRE(ended.size() == 1u);
    BOOST_TEST((ended[0] == other));
    for (auto id : {kept, hers})
        BOOST_TEST(run([&] { return db::sessions::find_refresh_salt(one.db, id); }).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_login_under_way_does_not_outlive_a_new_password, house::fixture)
{
    commit([&](db::batch& work) { db::users::add_set_password(work, bob, "new hash"); });
    BOOST_CHECK_EXCEPTION(add_session(bob), db::failure, db::sessions::was_outdated);
}

BOOST_AUTO_TEST_SUITE_END()
