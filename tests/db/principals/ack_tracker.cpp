// Acknowledgement tracking, with synthetic rows and a synthetic clock.
#include "db/principals/ack_tracker.hpp"

#include <boost/test/unit_test.hpp>
#include <boost/uuid/random_generator.hpp>

#include <chrono>
#include <vector>

using namespace std::chrono_literals;

namespace {

db::uuid some_id()
{
    return boost::uuids::random_generator()();
}

/// Two other nodes, a change, and a manual clock.
struct tracker_fixture {
    void begin() { tracker.begin(change, rows, now); }
    void observe() { tracker.observe(rows, now); }
    bool complete() { return tracker.is_complete(change, now); }

    void renew(std::size_t which)
    {
        ++rows[which].renewals;
        observe();
    }

    db::ack_tracker tracker;
    std::vector<db::node_record> rows{{some_id(), 1, 1, 2000}, {some_id(), 4, 9, 2000}};
    db::uuid change = some_id();
    db::boot_clock::time_point now{1h};
};

} // namespace

BOOST_AUTO_TEST_SUITE(ack_tracker)

BOOST_FIXTURE_TEST_CASE(a_single_node_waits_for_no_acknowledgement, tracker_fixture)
{
    BOOST_TEST(!complete()); // nothing was begun
    rows.clear();
    begin();
    BOOST_TEST(complete());
    BOOST_TEST(!tracker.is_tracking(change));
    BOOST_TEST(tracker.live(now) == 0u);
}

BOOST_FIXTURE_TEST_CASE(every_node_must_acknowledge, tracker_fixture)
{
    begin();
    BOOST_TEST(tracker.is_tracking(change));
    BOOST_TEST(tracker.live(now) == 2u);
    BOOST_TEST(!complete());
    tracker.acknowledge(change, rows[0].id);
    tracker.acknowledge(change, rows[0].id);
    tracker.acknowledge(change, some_id());
    tracker.acknowledge(some_id(), rows[1].id); // another change
    BOOST_TEST(!complete());
    tracker.acknowledge(change, rows[1].id);
    BOOST_TEST(complete());
    BOOST_TEST(!tracker.is_tracking(change));
}

BOOST_FIXTURE_TEST_CASE(an_acknowledgement_may_precede_the_response_to_the_commit, tracker_fixture)
{
    tracker.acknowledge(change, rows[0].id);
    tracker.acknowledge(some_id(), rows[1].id);
    begin();
    BOOST_TEST(!complete());
    tracker.acknowledge(change, rows[1].id);
    BOOST_TEST(complete());
}

BOOST_FIXTURE_TEST_CASE(early_acknowledgements_are_bounded, tracker_fixture)
{
    tracker.acknowledge(change, rows[0].id);
    for (int i = 0; i < 5000; ++i)
        tracker.acknowledge(some_id(), rows[0].id);
    rows.pop_back();
    begin();
    BOOST_TEST(!complete()); // dropped: it is asked for again
}

BOOST_FIXTURE_TEST_CASE(an_unresponsive_node_is_awaited_until_its_lease_ends, tracker_fixture)
{
    observe();
    now += 1500ms;
    renew(1); // the first does not respond
    begin();
    now += 499ms;
    observe();
    BOOST_TEST(!complete());
    tracker.acknowledge(change, rows[1].id);
    BOOST_TEST(!complete());
    now += 1ms;
    BOOST_TEST(complete());
    BOOST_TEST(tracker.live(now) == 1u);
}

BOOST_FIXTURE_TEST_CASE(a_lease_renewed_after_the_commit_still_counts, tracker_fixture)
{
    begin();
    tracker.acknowledge(change, rows[1].id);
    for (int i = 0; i < 10; ++i) { // renews without acknowledging
        now += 1s;
        renew(0);
        BOOST_TEST(!complete());
    }
    now += 2s;
    BOOST_TEST(complete());
}

BOOST_FIXTURE_TEST_CASE(an_expired_node_is_not_awaited, tracker_fixture)
{
    observe();
    now += 2s;
    begin();
    BOOST_TEST(complete());
    BOOST_TEST(tracker.live(now) == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_node_seen_first_gets_a_full_lease, tracker_fixture)
{
    begin();
    now += 1999ms;
    BOOST_TEST(!complete());
    now += 1ms;
    BOOST_TEST(complete());
}

BOOST_FIXTURE_TEST_CASE(each_node_has_the_lease_length_of_its_row, tracker_fixture)
{
    rows[0].lease_ms = 10'000;
    begin();
    now += 9999ms;
    BOOST_TEST(!complete());
    now += 1ms;
    BOOST_TEST(complete());
}

BOOST_FIXTURE_TEST_CASE(a_new_epoch_means_an_empty_cache, tracker_fixture)
{
    begin();
    tracker.acknowledge(change, rows[1].id);
    ++rows[0].epoch;
    observe();
    BOOST_TEST(complete());
}

BOOST_FIXTURE_TEST_CASE(a_deregistered_node_is_not_awaited, tracker_fixture)
{
    begin();
    rows.clear();
    observe();
    BOOST_TEST(complete());
}

BOOST_FIXTURE_TEST_CASE(a_node_registered_after_the_commit_is_not_awaited, tracker_fixture)
{
    begin();
    tracker.acknowledge(change, rows[0].id);
    tracker.acknowledge(change, rows[1].id);
    rows.push_back({some_id(), 1, 1, 2000});
    observe();
    BOOST_TEST(complete());
    BOOST_TEST(tracker.live(now) == 3u);
}

BOOST_FIXTURE_TEST_CASE(reset_drops_the_observations_of_another_postgresql, tracker_fixture)
{
    observe();
    now += 1999ms;
    begin();
    tracker.reset();
    BOOST_TEST(!tracker.is_tracking(change)); // begin() has to be repeated
    begin();
    now += 1s; // by the earlier observation its lease would have expired
    BOOST_TEST(!complete());
    now += 1s;
    BOOST_TEST(complete());
}

BOOST_FIXTURE_TEST_CASE(an_abandoned_change_is_not_tracked, tracker_fixture)
{
    begin();
    tracker.abandon(change);
    BOOST_TEST(!tracker.is_tracking(change));
    BOOST_TEST(!complete());
}

BOOST_FIXTURE_TEST_CASE(dead_returns_the_rows_of_long_expired_nodes, tracker_fixture)
{
    observe();
    now += 61s;
    renew(1);
    BOOST_TEST(tracker.dead(now, 60s).empty());
    now += 1s;
    auto dead = tracker.dead(now, 60s);
    BOOST_REQUIRE(dead.size() == 1u);
    BOOST_TEST((dead[0] == rows[0]));
}

BOOST_AUTO_TEST_SUITE_END()
