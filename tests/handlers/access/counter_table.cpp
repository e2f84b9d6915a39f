#include "handlers/access/counter_table.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <thread>
#include <vector>

BOOST_AUTO_TEST_SUITE(counter_table)

namespace {

/// A key as the limiter's hash makes them.
std::uint64_t key(std::uint64_t subject)
{
    auto h = (subject + 1) * 0x9e3779b97f4a7c15u;
    h = (h ^ (h >> 30)) * 0xbf58476d1ce4e5b9u;
    h = (h ^ (h >> 27)) * 0x94d049bb133111ebu;
    return h ^ (h >> 31);
}

using verdict = handlers::counter_table::verdict;

constexpr std::uint32_t window = 60;

struct counted {
    explicit counted(std::size_t slots = 1024) : table(std::chrono::seconds(window), slots) {}

    handlers::counter_table::outcome count(std::uint64_t subject, std::uint32_t now = 1)
    {
        return table.count(key(subject), {.limit = limit}, now);
    }

    bool passes(std::uint64_t subject, std::uint32_t now = 1)
    {
        return count(subject, now).verdict == verdict::admitted;
    }

    unsigned passed_of(unsigned tries, std::uint64_t subject, std::uint32_t now = 1)
    {
        unsigned passed = 0;
        for (unsigned i = 0; i < tries; ++i)
            passed += passes(subject, now);
        return passed;
    }

    handlers::counter_table table;
    std::uint32_t limit = 3;
};

/// A table of one set; all slots are in use by subjects 100 to 107.
struct full_table : counted {
    full_table() : counted(1)
    {
        for (std::uint64_t subject = 100; subject < 108; ++subject)
            BOOST_TEST(passes(subject));
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_window_admits_its_limit, counted)
{
    BOOST_TEST(passed_of(10, 1, 1) == 3u);
    BOOST_TEST(passed_of(10, 1, 60) == 0u);
    BOOST_TEST(passed_of(10, 1, 61) == 3u);
    BOOST_TEST(passed_of(10, 1, 62) == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_window_starts_with_its_first_request, counted)
{
    BOOST_TEST(passes(1, 50));
    BOOST_TEST(passed_of(10, 1, 100) == 2u);
    BOOST_TEST(passed_of(10, 1, 109) == 0u);
    BOOST_TEST(passed_of(10, 1, 110) == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_rejection_has_the_time_to_the_next_window, counted)
{
    passed_of(3, 1);
    BOOST_TEST(count(1, 21).retry_after.count() == 40);
    BOOST_TEST(count(1, 60).retry_after.count() == 1); // never zero
}

BOOST_FIXTURE_TEST_CASE(a_lower_limit_counts_what_a_higher_one_admitted, counted)
{
    BOOST_TEST(passes(1));
    limit = 1;
    BOOST_TEST(!passes(1));
    BOOST_TEST(passes(2));
}

BOOST_FIXTURE_TEST_CASE(refunded_counts_are_free_again, counted)
{
    BOOST_TEST(passed_of(2, 1) == 2u);
    auto third = count(1, 1);
    BOOST_TEST(!passes(1));
    table.refund(third.counted);
    BOOST_TEST(passed_of(5, 1) == 1u);
    table.refund({}); // of a request that was not counted
    auto rejected = count(1, 1);
    table.refund(rejected.counted);
    BOOST_TEST(!passes(1));
}

BOOST_FIXTURE_TEST_CASE(a_later_window_is_not_refunded, counted)
{
    auto early = count(1, 1);
    BOOST_TEST(passed_of(3, 1, 61) == 3u);
    table.refund(early.counted);
    BOOST_TEST(!passes(1, 61));
}

BOOST_FIXTURE_TEST_CASE(a_slot_that_another_subject_took_is_not_refunded, full_table)
{
    auto early = count(100, 1);
    for (std::uint64_t subject = 0; subject < 8; ++subject)
        BOOST_TEST(passed_of(3, subject, 61) == 3u);
    table.refund(early.counted);
    for (std::uint64_t subject = 0; subject < 8; ++subject)
        BOOST_TEST(!passes(subject, 61));
}

BOOST_FIXTURE_TEST_CASE(a_full_set_evicts_no_live_counter, full_table)
{
    for (std::uint64_t subject = 1000; subject < 9000; ++subject)
        passes(subject);
    for (std::uint64_t subject = 100; subject < 108; ++subject)
        BOOST_TEST(passed_of(10, subject) == 2u, subject);
    BOOST_TEST(table.overflows() == 8000u);
}

BOOST_FIXTURE_TEST_CASE(subjects_without_a_slot_are_limited, full_table)
{
    for (std::uint64_t subject = 200; subject < 300; ++subject)
        BOOST_TEST(passed_of(10, subject) <= 3u);
    // Together they have what the overflow counters admit: there are as many as slots.
    unsigned passed = 0;
    for (std::uint64_t subject = 300; subject < 10'000; ++subject)
        passed += passed_of(2, subject, 61 + 8);
    BOOST_TEST(passed <= (8u + 8u) * 3u);
}

BOOST_FIXTURE_TEST_CASE(a_new_slot_takes_along_the_count_of_the_overflow, full_table)
{
    BOOST_TEST(passed_of(2, 1, 30) == 2u); // in the overflow, to second 90
    BOOST_TEST(passed_of(10, 1, 61) == 1u);
    BOOST_TEST(passed_of(10, 1, 89) == 0u);
    BOOST_TEST(passed_of(10, 1, 90) == 3u);
}

BOOST_FIXTURE_TEST_CASE(a_slot_is_free_when_all_its_counts_were_refunded, counted)
{
    handlers::counter_table small(std::chrono::seconds(window), 1);
    for (std::uint64_t subject = 0; subject < 100; ++subject)
        small.refund(small.count(key(subject), {.limit = limit}, 1).counted);
    BOOST_TEST(small.overflows() == 0u);
}

/** The claim of the class: no crowd of other subjects lets one be admitted more often than its limit in a
    window. Compared with an exact count of each subject's own windows of admitted requests in the crowd. */
BOOST_AUTO_TEST_CASE(no_crowd_makes_the_table_forget_a_subject)
{
    for (std::size_t slots : {1u, 64u, 1024u}) {
        counted crowd(slots);
        std::uint64_t others = 1'000'000;
        for (std::uint64_t victim = 0; victim < 50; ++victim) {
            unsigned passed = 0;
            for (int attempt = 0; attempt < 20; ++attempt) {
                passed += crowd.passes(victim);
                for (std::size_t i = 0; i < slots; ++i)
                    crowd.passes(others++);
            }
            BOOST_TEST(passed <= crowd.limit, "slots " << slots << ", victim " << victim);
        }
    }
}

BOOST_FIXTURE_TEST_CASE(counts_of_many_threads_add_up, counted)
{
    limit = 5000;
    std::atomic<unsigned> passed{0};
    std::vector<std::thread> cores;
    for (int i = 0; i < 4; ++i)
        cores.emplace_back([&] { passed += passed_of(5000, 1); });
    for (auto& core : cores)
        core.join();
    BOOST_TEST(passed == 5000u);
}

BOOST_FIXTURE_TEST_CASE(concurrent_first_requests_share_a_slot, counted)
{
    for (std::uint64_t round = 0; round < 200; ++round) {
        std::atomic<unsigned> passed{0};
        std::atomic<bool> go{false};
        std::vector<std::thread> cores;
        for (int i = 0; i < 4; ++i)
            cores.emplace_back([&] {
                while (!go)
                    std::this_thread::yield();
                passed += passes(round);
            });
        go = true;
        for (auto& core : cores)
            core.join();
        BOOST_TEST(passed == 3u);
    }
}

namespace {

/// Another subject with the overflow counter of subject 1.
std::uint64_t neighbour_of_1()
{
    for (std::uint64_t other = 2;; ++other)
        if ((key(other) >> 32) % 4 == (key(1) >> 32) % 4 && key(other) >> 58 != key(1) >> 58)
            return other;
}

} // namespace

/// A crowd that has filled the overflow does not shut out those who come when there is room again.
BOOST_FIXTURE_TEST_CASE(a_new_slot_takes_along_no_count_of_others, full_table)
{
    BOOST_TEST(passed_of(10, 1, 30) == 3u);
    BOOST_TEST(passed_of(10, neighbour_of_1(), 31) == 0u);
    BOOST_TEST(passed_of(10, neighbour_of_1(), 61) == 3u);
    BOOST_TEST(passed_of(10, 1, 61) == 0u);
}

BOOST_AUTO_TEST_CASE(limits_share_no_overflow_counter)
{
    handlers::counter_table table(std::chrono::seconds(window), 8, 2);
    auto passed_of_lane = [&](std::size_t lane, std::uint32_t limit, std::uint64_t subjects) {
        unsigned passed = 0;
        for (std::uint64_t subject = 0; subject < subjects; ++subject)
            for (std::uint32_t i = 0; i < limit; ++i)
                passed +=
                    table.count(key(subject), {.limit = limit, .lane = lane}, 1).verdict == verdict::admitted;
        return passed;
    };
    BOOST_TEST(passed_of_lane(1, 200, 1000) <= (8 + 4) * 200u);
    BOOST_TEST(passed_of_lane(0, 20, 1000) >= 4 * 20u);
}

BOOST_FIXTURE_TEST_CASE(a_refusal_is_foreseen_without_a_count, full_table)
{
    auto is_refused = [&](std::uint64_t subject, std::uint32_t now = 1) {
        return table.is_refused(key(subject), {.limit = limit}, now);
    };
    auto neighbour = neighbour_of_1();
    for (std::uint64_t subject : {std::uint64_t{100}, std::uint64_t{1}}) { // with a slot, and without
        for (int i = 0; i < 10; ++i)
            BOOST_TEST(!is_refused(subject));
        BOOST_TEST(passed_of(10, subject) >= 2u);
        BOOST_TEST(is_refused(subject));
        BOOST_TEST(is_refused(subject, 60));
        BOOST_TEST(!is_refused(subject, 61));
    }
    BOOST_TEST(!is_refused(neighbour));
}

/// One thread counts a known subject, lock-free, while others take its slot: the window has just ended.
BOOST_AUTO_TEST_CASE(no_count_is_lost_while_a_slot_is_taken)
{
    for (int round = 0; round < 3000; ++round) {
        full_table crowded;
        std::atomic<unsigned> known{0}, unknown{0};
        std::atomic<int> ready{0};
        auto together = [&] {
            ++ready;
            while (ready < 2)
                std::this_thread::yield();
        };
        std::thread one([&] {
            together();
            known += crowded.passed_of(6, 100, 61);
        });
        std::thread other([&] {
            together();
            for (std::uint64_t subject = 200; subject < 208; ++subject)
                unknown = std::max(unknown.load(), crowded.passed_of(5, subject, 61));
        });
        one.join();
        other.join();
        BOOST_TEST_REQUIRE(known <= 3u);
        BOOST_TEST_REQUIRE(unknown <= 3u);
    }
}

/// Four threads move one subject between the overflow and slots that become free, second by second.
BOOST_AUTO_TEST_CASE(no_count_is_lost_between_the_overflow_and_a_slot)
{
    for (int round = 0; round < 100; ++round) {
        full_table crowded;
        std::atomic<unsigned> passed{0};
        std::vector<std::thread> cores;
        for (int i = 0; i < 4; ++i)
            cores.emplace_back([&] {
                for (std::uint32_t now = 55; now < 70; ++now)
                    passed += crowded.passes(1, now);
            });
        for (auto& core : cores)
            core.join();
        BOOST_TEST(passed == 3u); // the window began at 55, at the first count of any thread
    }
}

BOOST_FIXTURE_TEST_CASE(concurrent_refunds_add_up, counted)
{
    limit = 1'000'000;
    std::vector<std::thread> cores;
    for (int i = 0; i < 4; ++i)
        cores.emplace_back([&] {
            for (int n = 0; n < 2000; ++n)
                table.refund(count(1, 1).counted);
        });
    for (auto& core : cores)
        core.join();
    limit = 3;
    BOOST_TEST(passed_of(5, 1) == 3u);
}

namespace {

/// One of three nodes: 10 of a limit of 100 without a share.
struct shared : counted {
    explicit shared(std::size_t slots = 1024) : counted(slots) {}

    handlers::counter_table::outcome count_shared(std::uint64_t subject, std::uint32_t now = 1)
    {
        return table.count(key(subject),
                           {.limit = 100, .is_shared = true, .without_share = 10, .in_overflow = 33}, now);
    }

    unsigned passed_shared(unsigned tries, std::uint64_t subject, std::uint32_t now = 1)
    {
        unsigned passed = 0;
        for (unsigned i = 0; i < tries; ++i)
            passed += count_shared(subject, now).verdict == verdict::admitted;
        return passed;
    }

    void grant(std::uint64_t subject, std::uint32_t granted, std::uint32_t left = window,
               std::uint32_t now = 1)
    {
        table.grant(key(subject), 0, granted, left, now);
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(shares_are_needed_beyond_a_part_of_the_limit, shared)
{
    BOOST_TEST(passed_shared(20, 1) == 10u);
    BOOST_TEST((count_shared(1).verdict == verdict::needs_share));
    grant(1, 40);
    BOOST_TEST(passed_shared(100, 1) == 40u);
    BOOST_TEST((count_shared(1).verdict == verdict::needs_share));
    grant(1, 20);
    BOOST_TEST(passed_shared(100, 1) == 20u);
    grant(1, 0);
    auto refused = count_shared(1, 11);
    BOOST_TEST((refused.verdict == verdict::refused));
    BOOST_TEST(refused.retry_after.count() == 50);
    BOOST_TEST(passed_shared(20, 2) == 10u);
}

BOOST_FIXTURE_TEST_CASE(shares_add_up_to_the_limit_at_most, shared)
{
    grant(1, 60);
    grant(1, 60); // of another core that asked at the same time
    BOOST_TEST(passed_shared(200, 1) == 100u);
    BOOST_TEST((count_shared(1).verdict == verdict::refused));
}

BOOST_FIXTURE_TEST_CASE(a_window_ends_with_that_of_all_nodes, shared)
{
    BOOST_TEST(passed_shared(20, 1, 30) == 10u); // to second 90
    grant(1, 5, 20, 31);                         // to second 51
    BOOST_TEST(passed_shared(20, 1, 50) == 5u);
    BOOST_TEST(passed_shared(20, 1, 51) == 10u);
    grant(1, 5, 60, 52); // rounded: of the window that ends at 111
    BOOST_TEST(passed_shared(20, 1, 52) == 5u);
    grant(1, 5, 59, 52);
    BOOST_TEST(passed_shared(20, 1, 53) == 5u);
    grant(1, 0, 58, 53);
    BOOST_TEST((count_shared(1, 54).verdict == verdict::refused));
}

/// Even if the database has forgotten the window, and hands out the limit once more.
BOOST_FIXTURE_TEST_CASE(no_grant_lowers_a_live_count, shared)
{
    grant(1, 20, 60, 1); // to second 61
    BOOST_TEST(passed_shared(50, 1, 2) == 30u);
    grant(1, 5, 60, 30); // to second 90
    BOOST_TEST((count_shared(1, 31).verdict == verdict::needs_share));
    grant(1, 25, 60, 30);
    BOOST_TEST(passed_shared(50, 1, 31) == 10u);
    grant(1, 0, 60, 30);
    BOOST_TEST(count_shared(1, 40).retry_after.count() == 50);
    BOOST_TEST(passed_shared(50, 1, 90) == 10u);
}

BOOST_FIXTURE_TEST_CASE(raised_shares_keep_the_count_and_the_window, shared)
{
    BOOST_TEST(passed_shared(50, 1, 1) == 10u); // to second 61
    grant(1, 15, 40, 1);                        // to second 41
    BOOST_TEST(passed_shared(50, 1, 2) == 15u);
    table.raise_shares(key(1), 0, 23, 20);
    BOOST_TEST(passed_shared(50, 1, 21) == 8u);
    auto over = count_shared(1, 21);
    BOOST_TEST((over.verdict == verdict::refused)); // it does not ask again
    BOOST_TEST(over.retry_after.count() == 20);
    table.raise_shares(key(1), 0, 23, 22); // by another request that has waited
    table.raise_shares(key(1), 0, 10, 22);
    BOOST_TEST(passed_shared(50, 1, 23) == 0u);
    BOOST_TEST(passed_shared(50, 1, 41) == 10u);
}

BOOST_FIXTURE_TEST_CASE(a_late_share_counts_in_place_of_what_was_raised, shared)
{
    passed_shared(50, 1);
    table.raise_shares(key(1), 0, 23, 1);
    BOOST_TEST(passed_shared(50, 1) == 23u);
    grant(1, 30, 60, 1);
    BOOST_TEST(passed_shared(50, 1) == 7u);
    BOOST_TEST((count_shared(1).verdict == verdict::needs_share));
    grant(1, 10, 60, 1);
    BOOST_TEST(passed_shared(50, 1) == 10u);
}

BOOST_FIXTURE_TEST_CASE(raised_shares_begin_a_window, shared)
{
    table.raise_shares(key(1), 0, 23, 5);
    BOOST_TEST(passed_shared(50, 1, 6) == 33u);
    BOOST_TEST(count_shared(1, 7).retry_after.count() == 58);
}

BOOST_FIXTURE_TEST_CASE(a_share_of_a_past_window_does_not_count, shared)
{
    grant(1, 100, 10, 1);
    BOOST_TEST(passed_shared(50, 1, 5) == 50u);
    BOOST_TEST(passed_shared(50, 1, 11) == 10u);
}

BOOST_FIXTURE_TEST_CASE(the_next_share_is_announced_once_before_it_is_needed, shared)
{
    unsigned announced = 0;
    for (int i = 0; i < 10; ++i)
        announced += count_shared(1).will_need_share;
    BOOST_TEST(announced == 1u);
    grant(1, 40);
    for (int i = 0; i < 40; ++i)
        announced += count_shared(1).will_need_share;
    BOOST_TEST(announced == 2u);
    grant(1, 0);
    grant(2, 100);
    for (int i = 0; i < 100; ++i)
        announced += count_shared(2).will_need_share;
    BOOST_TEST(announced == 2u); // the whole limit: no further share is possible
}

BOOST_FIXTURE_TEST_CASE(refunds_give_back_what_a_share_admitted, shared)
{
    grant(1, 1);
    for (int i = 0; i < 50; ++i) {
        auto counted_once = count_shared(1);
        BOOST_TEST((counted_once.verdict == verdict::admitted));
        table.refund(counted_once.counted);
    }
}

BOOST_AUTO_TEST_CASE(a_granted_share_is_not_lost_to_new_subjects)
{
    shared crowded(1);
    crowded.grant(1, 5);
    for (std::uint64_t subject = 100; subject < 200; ++subject)
        crowded.count_shared(subject);
    BOOST_TEST(crowded.passed_shared(50, 1) == 15u);
}

BOOST_AUTO_TEST_CASE(the_overflow_has_a_part_of_the_limit_on_each_node)
{
    shared crowded(1);
    for (std::uint64_t subject = 100; subject < 108; ++subject)
        crowded.count_shared(subject);
    BOOST_TEST(crowded.passed_shared(200, 1) == 33u);
    BOOST_TEST((crowded.count_shared(1).verdict == verdict::refused));
    crowded.grant(1, 50); // it has no slot for it
    BOOST_TEST((crowded.count_shared(1).verdict == verdict::refused));
}

BOOST_AUTO_TEST_SUITE_END()
