// For whom a change waits, told by made-up rows and a made-up clock.
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

/// Two other nodes, a change, and a clock that goes when it is told to.
struct watching {
    void begin() { watch.begin(change, rows, now); }
    void look() { watch.observe(rows, now); }
    bool settled() { return watch.settled(change, now); }

    void renew(std::size_t which)
    {
        ++rows[which].renewals;
        look();
    }

    db::peer_watch watch;
    std::vector<db::peer> rows{{some_id(), 1, 1, 2000}, {some_id(), 4, 9, 2000}};
    db::uuid change = some_id();
    db::boot_clock::time_point now{1h};
};

} // namespace

BOOST_AUTO_TEST_SUITE(ack_tracker)

BOOST_FIXTURE_TEST_CASE(alone_nobody_is_waited_for, watching)
{
    BOOST_TEST(!settled()); // nothing was begun
    rows.clear();
    begin();
    BOOST_TEST(settled());
    BOOST_TEST(!watch.waits_for(change));
    BOOST_TEST(watch.live(now) == 0u);
}

BOOST_FIXTURE_TEST_CASE(all_have_to_acknowledge, watching)
{
    begin();
    BOOST_TEST(watch.waits_for(change));
    BOOST_TEST(watch.live(now) == 2u);
    BOOST_TEST(!settled());
    watch.acknowledge(change, rows[0].id);
    watch.acknowledge(change, rows[0].id);
    watch.acknowledge(change, some_id());
    watch.acknowledge(some_id(), rows[1].id); // another change
    BOOST_TEST(!settled());
    watch.acknowledge(change, rows[1].id);
    BOOST_TEST(settled());
    BOOST_TEST(!watch.waits_for(change));
}

BOOST_FIXTURE_TEST_CASE(an_acknowledgement_may_be_quicker_than_the_answer_to_the_commit, watching)
{
    watch.acknowledge(change, rows[0].id);
    watch.acknowledge(some_id(), rows[1].id);
    begin();
    BOOST_TEST(!settled());
    watch.acknowledge(change, rows[1].id);
    BOOST_TEST(settled());
}

BOOST_FIXTURE_TEST_CASE(of_early_ones_only_so_many_are_kept, watching)
{
    watch.acknowledge(change, rows[0].id);
    for (int i = 0; i < 5000; ++i)
        watch.acknowledge(some_id(), rows[0].id);
    rows.pop_back();
    begin();
    BOOST_TEST(!settled()); // pushed out: it is asked for again
}

BOOST_FIXTURE_TEST_CASE(who_is_silent_is_waited_for_as_long_as_its_lease_may_live, watching)
{
    look();
    now += 1500ms;
    renew(1); // the first is silent
    begin();
    now += 499ms;
    look();
    BOOST_TEST(!settled());
    watch.acknowledge(change, rows[1].id);
    BOOST_TEST(!settled());
    now += 1ms;
    BOOST_TEST(settled());
    BOOST_TEST(watch.live(now) == 1u);
}

BOOST_FIXTURE_TEST_CASE(its_lease_counts_as_it_stands_not_as_it_stood, watching)
{
    begin();
    watch.acknowledge(change, rows[1].id);
    for (int i = 0; i < 10; ++i) { // it renews, and yet does not acknowledge
        now += 1s;
        renew(0);
        BOOST_TEST(!settled());
    }
    now += 2s;
    BOOST_TEST(settled());
}

BOOST_FIXTURE_TEST_CASE(whose_lease_was_over_is_not_waited_for, watching)
{
    look();
    now += 2s;
    begin();
    BOOST_TEST(settled());
    BOOST_TEST(watch.live(now) == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_node_seen_for_the_first_time_may_have_just_renewed, watching)
{
    begin();
    now += 1999ms;
    BOOST_TEST(!settled());
    now += 1ms;
    BOOST_TEST(settled());
}

BOOST_FIXTURE_TEST_CASE(each_lives_as_long_as_its_own_row_says, watching)
{
    rows[0].lease_ms = 10'000;
    begin();
    now += 9999ms;
    BOOST_TEST(!settled());
    now += 1ms;
    BOOST_TEST(settled());
}

BOOST_FIXTURE_TEST_CASE(with_a_new_epoch_its_memory_began_anew, watching)
{
    begin();
    watch.acknowledge(change, rows[1].id);
    ++rows[0].epoch;
    look();
    BOOST_TEST(settled());
}

BOOST_FIXTURE_TEST_CASE(who_has_left_is_not_waited_for, watching)
{
    begin();
    rows.clear();
    look();
    BOOST_TEST(settled());
}

BOOST_FIXTURE_TEST_CASE(who_comes_later_is_not_waited_for, watching)
{
    begin();
    watch.acknowledge(change, rows[0].id);
    watch.acknowledge(change, rows[1].id);
    rows.push_back({some_id(), 1, 1, 2000});
    look();
    BOOST_TEST(settled());
    BOOST_TEST(watch.live(now) == 3u);
}

BOOST_FIXTURE_TEST_CASE(what_another_postgresql_said_is_nothing_to_go_by, watching)
{
    look();
    now += 1999ms;
    begin();
    watch.forget();
    BOOST_TEST(!watch.waits_for(change)); // to be begun again
    begin();
    now += 1s; // by the older sight its lease would be over
    BOOST_TEST(!settled());
    now += 1s;
    BOOST_TEST(settled());
}

BOOST_FIXTURE_TEST_CASE(nobody_waits_for_an_abandoned_change, watching)
{
    begin();
    watch.abandon(change);
    BOOST_TEST(!watch.waits_for(change));
    BOOST_TEST(!settled());
}

BOOST_FIXTURE_TEST_CASE(the_dead_are_known_by_the_rows_they_left, watching)
{
    look();
    now += 61s;
    renew(1);
    BOOST_TEST(watch.dead(now, 60s).empty());
    now += 1s;
    auto dead = watch.dead(now, 60s);
    BOOST_REQUIRE(dead.size() == 1u);
    BOOST_TEST((dead[0] == rows[0]));
}

BOOST_AUTO_TEST_SUITE_END()
