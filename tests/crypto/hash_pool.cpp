#include "crypto/hash_pool.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <sys/resource.h>

#include <atomic>
#include <memory>
#include <optional>
#include <thread>
#include <vector>

using namespace crypto;

namespace {

constexpr password_costs tiny{.memory_kib = 64, .iterations = 1, .lanes = 1};
constexpr password_costs slow{.memory_kib = 4096, .iterations = 2, .lanes = 1}; // some milliseconds

template <class T>
using awaitable = hashers::awaitable<T>;

/** One core of a server: what is spawned here, must come back here. */
struct core {
    boost::asio::io_context io{1};

    template <class Story>
    void spawn(Story story)
    {
        boost::asio::co_spawn(io, std::move(story), boost::asio::detached);
    }

    /** Run one story to its end. */
    template <class T>
    T wait_for(awaitable<T> story)
    {
        std::optional<T> out;
        std::exception_ptr error;
        boost::asio::co_spawn(io, std::move(story), [&](std::exception_ptr thrown, T result) {
            error = thrown;
            out = std::move(result);
        });
        io.restart();
        io.run();
        if (error)
            std::rethrow_exception(error);
        return std::move(*out);
    }
};

/** What many stories came to; all of them on one thread. */
struct tally {
    int good = 0, bad = 0, refused = 0, destroyed = 0;
};

/** Counts the stories that ended in any way, even in the midst. */
struct farewell {
    tally& count;
    explicit farewell(tally& in) : count(in) {}
    farewell(const farewell&) = delete;
    ~farewell() { ++count.destroyed; }
};

awaitable<void> verify_once(hashers& pool, std::string phc, tally& count)
{
    farewell end(count);
    try {
        bool good = co_await pool.verify("password", std::move(phc));
        ++(good ? count.good : count.bad);
    } catch (const overloaded&) {
        ++count.refused;
    }
}

std::string phc_of(const password_costs& costs)
{
    hash_arena arena;
    return hash_password(arena, "password", costs);
}

} // namespace

BOOST_AUTO_TEST_SUITE(hash_pool)

BOOST_FIXTURE_TEST_CASE(what_was_hashed_verifies, core)
{
    crypto::hashers pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    auto phc = wait_for(pool.hash("password"));
    BOOST_TEST(!needs_rehash(phc, tiny));
    BOOST_TEST(wait_for(pool.verify("password", phc)));
    BOOST_TEST(!wait_for(pool.verify("passwort", phc)));
    BOOST_TEST((pool.costs() == tiny));
    BOOST_TEST(pool.state().waiting == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_pool_works_with_either_engine, core)
{
    crypto::hashers by_library({.costs = tiny, .engine = argon2_engine::libargon2});
    crypto::hashers by_own({.costs = tiny});
    BOOST_TEST(wait_for(by_own.verify("password", wait_for(by_library.hash("password")))));
    BOOST_TEST(wait_for(by_library.verify("password", wait_for(by_own.hash("password")))));
}

BOOST_FIXTURE_TEST_CASE(a_new_password_is_judged_before_it_is_hashed, core)
{
    crypto::hashers pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    std::vector<std::string> own{"grace.hopper", "grace", "hopper"};
    auto phc = wait_for(pool.hash_unless_guessable("correct horse battery", own));
    BOOST_REQUIRE(phc.has_value());
    BOOST_TEST(wait_for(pool.verify("correct horse battery", *phc)));
    BOOST_TEST(!wait_for(pool.hash_unless_guessable("grace.hopper1906", own)).has_value());
    BOOST_TEST(!wait_for(pool.hash_unless_guessable("password1", {})).has_value());
}

BOOST_FIXTURE_TEST_CASE(an_absent_account_verifies_nothing, core)
{
    crypto::hashers pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    BOOST_TEST(!wait_for(pool.verify("password", "")));
    BOOST_TEST(!wait_for(pool.verify("", "")));
}

BOOST_FIXTURE_TEST_CASE(what_hashing_throws_reaches_the_caller, core)
{
    crypto::hashers pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    BOOST_CHECK_THROW(wait_for(pool.hash(std::string(longest_password + 1, 'x'))), std::length_error);
    BOOST_TEST(!wait_for(pool.verify(std::string(longest_password + 1, 'x'), phc_of(tiny))));
    BOOST_TEST(!wait_for(pool.verify("x", "no phc string")));
}

BOOST_FIXTURE_TEST_CASE(hashes_of_larger_costs_verify_up_to_the_ceiling, core)
{
    crypto::hashers pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    BOOST_TEST(wait_for(pool.verify("password", phc_of({8192, 1, 2}))));
    auto outsize = std::string(
        "$argon2id$v=19$m=262145,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
    BOOST_TEST(!wait_for(pool.verify("password", outsize)));
}

BOOST_FIXTURE_TEST_CASE(a_full_queue_refuses_and_the_rest_is_served, core)
{
    crypto::hashers pool({.threads = 1, .queue_limit = 5, .costs = slow});
    auto phc = phc_of(slow);
    tally count;
    std::size_t most_waiting = 0;
    for (int i = 0; i < 40; ++i)
        spawn([&] { return verify_once(pool, phc, count); });
    boost::asio::post(io, [&] { most_waiting = pool.state().waiting; });
    io.run();
    BOOST_TEST(count.good >= 6); // one under way and five that wait
    BOOST_TEST(count.refused > 0);
    BOOST_TEST(count.good + count.refused == 40);
    BOOST_TEST(most_waiting > 0u);
    BOOST_TEST(most_waiting <= 6u); // the thread may not have taken its own yet
    BOOST_TEST(wait_for(pool.verify("password", phc)), "it did not recover");
}

BOOST_FIXTURE_TEST_CASE(without_a_queue_a_free_thread_still_serves, core)
{
    crypto::hashers pool({.threads = 1, .queue_limit = 0, .costs = tiny});
    for (int i = 0; i < 20; ++i) {
        tally count;
        auto phc = phc_of(tiny);
        spawn([&] { return verify_once(pool, phc, count); });
        io.run();
        io.restart();
        // The thread resumes its caller a moment before it is free again.
        BOOST_TEST(count.good + count.refused == 1);
        if (i == 0)
            BOOST_TEST(count.good == 1);
    }
}

BOOST_FIXTURE_TEST_CASE(an_awaitable_that_nobody_awaits_takes_no_place, core)
{
    crypto::hashers pool({.threads = 1, .queue_limit = 0, .costs = tiny});
    for (int i = 0; i < 10; ++i) {
        auto dropped = pool.hash("password");
    }
    BOOST_TEST(!wait_for(pool.hash("password")).empty());
}

BOOST_AUTO_TEST_CASE(each_caller_resumes_on_its_own_core)
{
    crypto::hashers pool({.threads = 2, .queue_limit = 1000, .costs = tiny});
    auto phc = phc_of(tiny);
    std::atomic<int> good = 0, elsewhere = 0;
    auto story = [&]() -> awaitable<void> {
        auto home = std::this_thread::get_id();
        for (int i = 0; i < 10; ++i) {
            bool right = co_await pool.verify("password", phc);
            good += right;
            elsewhere += std::this_thread::get_id() != home;
        }
    };
    core cores[3];
    std::vector<std::thread> threads;
    for (auto& each : cores) {
        for (int i = 0; i < 10; ++i)
            each.spawn(story);
        threads.emplace_back([&each] { each.io.run(); });
    }
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(good == 300);
    BOOST_TEST(elsewhere == 0);
}

BOOST_FIXTURE_TEST_CASE(a_pool_that_goes_drops_what_waits, core)
{
    tally count;
    auto phc = phc_of(slow);
    auto pool = std::make_unique<crypto::hashers>(
        crypto::hashers::config{.threads = 2, .queue_limit = 100, .costs = slow});
    for (int i = 0; i < 30; ++i)
        spawn([&] { return verify_once(*pool, phc, count); });
    io.poll();
    pool.reset();
    io.restart();
    io.run();
    BOOST_TEST(count.destroyed == 30); // resumed or not, every story came to its end, on this thread
    BOOST_TEST(count.good < 30);
    BOOST_TEST(count.refused == 0);
}

BOOST_AUTO_TEST_CASE(a_stopped_core_may_go_after_the_pool)
{
    tally count;
    auto phc = phc_of(slow);
    {
        core stopped;
        crypto::hashers pool({.threads = 1, .queue_limit = 100, .costs = slow});
        for (int i = 0; i < 10; ++i)
            stopped.spawn([&] { return verify_once(pool, phc, count); });
        stopped.io.poll();
    }
    BOOST_TEST(count.destroyed == 10);
}

BOOST_AUTO_TEST_CASE(a_pool_without_work_stops_at_once)
{
    for (int i = 0; i < 20; ++i)
        crypto::hashers pool({.threads = 4, .queue_limit = 1, .costs = tiny});
}

BOOST_FIXTURE_TEST_CASE(its_threads_stand_back_and_ours_does_not, core)
{
    crypto::hashers pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    auto before = getpriority(PRIO_PROCESS, 0);
    wait_for(pool.hash("password"));
    BOOST_TEST(getpriority(PRIO_PROCESS, 0) == before);
}

BOOST_AUTO_TEST_SUITE_END()
