// The committer's side of the lease protocol, with synthetic rows and a synthetic clock.
#include "db/principals/recall_tracker.hpp"

#include <boost/test/unit_test.hpp>
#include <boost/uuid/random_generator.hpp>

#include <algorithm>
#include <chrono>
#include <vector>

using namespace std::chrono_literals;
using tracker_type = db::recall_tracker;
using reception = tracker_type::reception;

namespace {

db::uuid some_id()
{
    return boost::uuids::random_generator()();
}

/// Two other nodes, a change, and a manual clock. Queries are answered when the test says so.
struct tracker_fixture {
    tracker_fixture() { perform(tracker.listens(reception::proved, now)); }

    void perform(const tracker_type::actions& actions)
    {
        for (auto& each : actions) {
            if (auto look = std::get_if<tracker_type::look>(&each))
                looks.push_back(*look);
            if (auto fence = std::get_if<tracker_type::fence>(&each))
                fences.push_back(*fence);
            if (auto done = std::get_if<tracker_type::settled>(&each))
                settled = settled || done->change == change;
            if (auto done = std::get_if<tracker_type::gave_up>(&each))
                gave_up = gave_up || done->change == change;
        }
    }

    /// Answer the oldest query.
    void answer()
    {
        auto next = looks.front();
        looks.erase(looks.begin());
        perform(tracker.looked(next.id, rows, now));
    }

    void begin()
    {
        perform(tracker.committed(change, now));
        answer();
    }

    /// A query that is answered at once.
    void observe() { perform(tracker.observed(rows, now, now)); }

    void acknowledge(std::size_t which) { acknowledge(change, rows[which].id); }

    void acknowledge(const db::uuid& which, const db::uuid& by)
    {
        perform(tracker.acknowledged({&which, 1}, by, now));
    }

    void renew(std::size_t which)
    {
        ++rows[which].renewals;
        observe();
    }

    /// Let time pass, and answer all queries at once.
    void wait(std::chrono::milliseconds time)
    {
        for (auto until = now + time; now < until;) {
            auto next = tracker.wake_at();
            now = next ? std::clamp(*next, now, until) : until;
            perform(tracker.tick(now));
            while (!looks.empty())
                answer();
        }
    }

    tracker_type tracker{tracker_type::config()};
    std::vector<db::node_record> rows{{some_id(), 1, 1, 2000}, {some_id(), 4, 9, 2000}};
    db::uuid change = some_id();
    db::boot_clock::time_point now{1h};
    std::vector<tracker_type::look> looks;
    std::vector<tracker_type::fence> fences;
    bool settled = false, gave_up = false;
};

} // namespace

BOOST_AUTO_TEST_SUITE(recall_tracker)

BOOST_FIXTURE_TEST_CASE(a_single_node_waits_for_no_acknowledgement, tracker_fixture)
{
    rows.clear();
    perform(tracker.committed(change, now));
    BOOST_TEST(!settled); // the rows were not read since the commit
    answer();
    BOOST_TEST(settled);
    BOOST_TEST(tracker.live() == 0u);
}

BOOST_FIXTURE_TEST_CASE(every_node_must_acknowledge, tracker_fixture)
{
    begin();
    BOOST_TEST(tracker.live() == 2u);
    acknowledge(0);
    acknowledge(0);
    acknowledge(change, some_id());
    acknowledge(some_id(), rows[1].id); // another change
    BOOST_TEST(!settled);
    acknowledge(1);
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(an_acknowledgement_may_precede_the_response_to_the_commit, tracker_fixture)
{
    acknowledge(0);
    begin();
    BOOST_TEST(!settled);
    acknowledge(1);
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(early_acknowledgements_are_bounded, tracker_fixture)
{
    acknowledge(0);
    for (int i = 0; i < 5000; ++i)
        acknowledge(some_id(), rows[0].id);
    rows.pop_back();
    begin();
    BOOST_TEST(!settled); // dropped: it is asked for again
    now += 100ms;
    perform(tracker.tick(now));
    BOOST_REQUIRE(looks.size() == 1u);
    BOOST_TEST((looks[0].changes == std::vector{change}));
    BOOST_TEST((looks[0].awaited == std::vector{rows[0].id})); // for this node alone
}

BOOST_FIXTURE_TEST_CASE(rows_read_before_the_commit_do_not_count, tracker_fixture)
{
    auto other = some_id();
    perform(tracker.committed(other, now)); // its query is on the way
    perform(tracker.committed(change, now));
    rows.clear();
    auto first = looks.front();
    perform(tracker.looked(first.id, {}, now));
    BOOST_TEST(!settled);
    looks.erase(looks.begin());
    answer();
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(a_lease_has_run_out_only_if_the_row_is_read_unchanged_after_its_end, tracker_fixture)
{
    observe();
    now += 1900ms;
    begin();
    acknowledge(1);
    now += 99ms;
    observe();
    BOOST_TEST(!settled);
    now += 1ms;
    perform(tracker.observed(rows, now - 1ms, now)); // sent too early
    BOOST_TEST(!settled);
    now += 10s;
    BOOST_TEST(!settled); // time alone proves nothing
    ++rows[0].renewals;   // unseen until now
    observe();
    BOOST_TEST(!settled);
    now += 2s;
    observe();
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(an_expired_lease_is_read_at_its_end, tracker_fixture)
{
    begin();
    acknowledge(1);
    auto begun = now;
    wait(1999ms);
    BOOST_TEST(!settled);
    wait(1ms);
    BOOST_TEST(settled);
    BOOST_TEST((now - begun == 2s));
    BOOST_TEST(tracker.live() == 0u);
}

BOOST_FIXTURE_TEST_CASE(an_expired_node_is_not_awaited, tracker_fixture)
{
    observe();
    now += 2s;
    observe();
    begin();
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(each_node_has_the_lease_length_of_its_row, tracker_fixture)
{
    rows[0].lease_ms = 3000;
    begin();
    wait(2999ms);
    BOOST_TEST(!settled);
    wait(1ms);
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(a_new_epoch_means_an_empty_cache, tracker_fixture)
{
    begin();
    acknowledge(1);
    ++rows[0].epoch;
    observe();
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(a_deregistered_node_is_not_awaited, tracker_fixture)
{
    begin();
    rows.clear();
    observe();
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(a_node_registered_after_the_commit_is_not_awaited, tracker_fixture)
{
    begin();
    acknowledge(0);
    rows.push_back({some_id(), 1, 1, 2000});
    observe();
    acknowledge(1);
    BOOST_TEST(settled);
    BOOST_TEST(tracker.live() == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_node_that_renews_and_does_not_acknowledge_is_fenced, tracker_fixture)
{
    begin();
    acknowledge(1);
    auto begun = now;
    while (fences.empty() && now - begun < 10s) {
        ++rows[0].renewals;
        wait(50ms);
    }
    BOOST_TEST((now - begun >= 4s));
    BOOST_TEST((now - begun <= 4500ms));
    BOOST_REQUIRE(fences.size() == 1u);
    BOOST_REQUIRE(fences[0].targets.size() == 1u);
    BOOST_TEST((fences[0].targets[0] == tracker_type::fence_target{rows[0].id, 1}));
    BOOST_TEST(!settled); // a fenced node may still use its lease
    wait(2s);
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(a_node_that_receives_no_acknowledgements_fences_at_once, tracker_fixture)
{
    tracker.connected();
    perform(tracker.listens(reception::none, now));
    begin();
    BOOST_REQUIRE(fences.size() == 1u);
    BOOST_TEST(fences[0].targets.size() == 2u);
    BOOST_TEST(!settled);
    ++rows[0].epoch;
    ++rows[1].epoch;
    wait(100ms);
    BOOST_TEST(settled);
}

// A probe that is late must not cost every other node its caches at every change.
BOOST_FIXTURE_TEST_CASE(while_it_is_not_known_whether_acknowledgements_arrive_a_lease_passes_before_fencing,
                        tracker_fixture)
{
    perform(tracker.listens(reception::unproved, now));
    begin();
    auto begun = now;
    while (fences.empty() && now - begun < 10s) {
        ++rows[0].renewals;
        ++rows[1].renewals;
        wait(50ms);
    }
    BOOST_TEST((now - begun >= 2s));
    BOOST_TEST((now - begun <= 2500ms));
    acknowledge(0);
    acknowledge(1);
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(a_second_attempt_to_listen_does_not_prolong_the_wait, tracker_fixture)
{
    observe();
    tracker.connected();
    perform(tracker.listens(reception::unproved, now));
    rows.clear();
    begin();
    wait(1s);
    perform(tracker.listens(reception::proved, now));
    wait(999ms);
    BOOST_TEST(!settled);
    wait(1ms);
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(acknowledgements_of_settled_changes_do_not_displace_others, tracker_fixture)
{
    rows.resize(1);
    std::vector<db::uuid> settled_ones(3000);
    for (auto& each : settled_ones) {
        each = some_id();
        perform(tracker.committed(each, now));
    }
    while (!looks.empty())
        answer();
    wait(2s); // the lease runs out
    BOOST_TEST(tracker.current().changes.empty());
    ++rows[0].renewals;
    observe();
    acknowledge(0); // early
    for (int i = 0; i < 5; ++i)
        perform(tracker.acknowledged(settled_ones, rows[0].id, now));
    begin();
    BOOST_TEST(settled);
}

namespace {

/// The changes that the tracker looks at, per change, while so many wait for a node that has died.
double cost_per_change(std::size_t pending)
{
    tracker_fixture with;
    auto answer_all = [&] {
        while (!with.looks.empty())
            with.answer();
    };
    auto commit = [&] {
        auto change = some_id();
        with.perform(with.tracker.committed(change, with.now));
        with.tracker.wake_at();
        answer_all();
        with.acknowledge(change, with.rows[0].id);
        with.tracker.wake_at();
        with.observe();
    };
    for (std::size_t i = 0; i < pending; ++i)
        commit();
    BOOST_TEST(with.tracker.current().changes.size() == pending);
    auto before = with.tracker.visited();
    for (int i = 0; i < 100; ++i)
        commit();
    return static_cast<double>(with.tracker.visited() - before) / 100;
}

} // namespace

BOOST_AUTO_TEST_CASE(the_cost_of_a_change_does_not_grow_with_those_that_wait)
{
    auto few = cost_per_change(10), many = cost_per_change(3000);
    BOOST_TEST(few > 0);
    BOOST_TEST(many == few);
}

BOOST_FIXTURE_TEST_CASE(a_change_is_published_again_for_the_nodes_that_it_waits_for, tracker_fixture)
{
    begin();
    acknowledge(0);
    now += 100ms;
    perform(tracker.tick(now));
    BOOST_REQUIRE(looks.size() == 1u);
    BOOST_TEST((looks[0].changes == std::vector{change}));
    BOOST_TEST((looks[0].awaited == std::vector{rows[1].id}));
}

BOOST_FIXTURE_TEST_CASE(a_new_connection_begins_all_observations_again, tracker_fixture)
{
    begin();
    acknowledge(0);
    now += 1999ms;
    tracker.connected();
    BOOST_TEST(looks.empty()); // nothing is read before it listens
    perform(tracker.listens(reception::proved, now));
    BOOST_REQUIRE(looks.size() == 1u);
    answer();
    wait(1s); // by the earlier observation the leases would have expired
    BOOST_TEST(!settled);
    wait(1s);
    BOOST_TEST(settled);
}

BOOST_FIXTURE_TEST_CASE(a_row_that_a_failover_lost_is_awaited_for_a_lease, tracker_fixture)
{
    observe();
    tracker.connected();
    perform(tracker.listens(reception::proved, now));
    rows.clear();
    begin();
    BOOST_TEST(!settled);
    BOOST_TEST(tracker.live() == 2u);
    wait(1999ms);
    BOOST_TEST(!settled);
    wait(1ms);
    BOOST_TEST(settled);
    BOOST_TEST(tracker.live() == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_failed_query_is_repeated_and_a_silent_database_fails_the_change, tracker_fixture)
{
    perform(tracker.committed(change, now));
    auto begun = now;
    while (!gave_up && now - begun < 20s) {
        if (!looks.empty())
            perform(tracker.look_failed(std::exchange(looks, {}).front().id, now));
        now = *tracker.wake_at();
        perform(tracker.tick(now));
    }
    BOOST_TEST(gave_up);
    BOOST_TEST((now - begun == 10s));
    BOOST_TEST(!tracker.wake_at().has_value());
}

BOOST_FIXTURE_TEST_CASE(no_change_waits_longer_than_its_limit, tracker_fixture)
{
    begin();
    auto begun = now;
    while (!settled && !gave_up && now - begun < 60s) {
        wait(1s);
        ++rows[0].renewals; // by a program that knows no fencing
    }
    BOOST_TEST(gave_up);
    BOOST_TEST((now - begun <= 30s));
}

BOOST_FIXTURE_TEST_CASE(dead_returns_the_rows_of_long_expired_nodes, tracker_fixture)
{
    observe();
    now += 61s;
    renew(1);
    BOOST_TEST(tracker.dead(60s).empty());
    now += 1s;
    observe();
    auto dead = tracker.dead(60s);
    BOOST_REQUIRE(dead.size() == 1u);
    BOOST_TEST((dead[0] == rows[0]));
}

BOOST_AUTO_TEST_SUITE_END()
