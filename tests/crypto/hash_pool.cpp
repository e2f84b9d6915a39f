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
using awaitable = hash_pool::awaitable<T>;

/// One event loop: tasks spawned here must resume here.
struct core {
    boost::asio::io_context io{1};

    template <class Task>
    void spawn(Task task)
    {
        boost::asio::co_spawn(io, std::move(task), boost::asio::detached);
    }

    /// Run a task to completion.
    template <class T>
    T wait_for(awaitable<T> task)
    {
        std::optional<T> out;
        std::exception_ptr error;
        boost::asio::co_spawn(io, std::move(task), [&](std::exception_ptr thrown, T result) {
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

/// Results of many tasks, all on one thread.
struct tally {
    int good = 0, bad = 0, rejected = 0, destroyed = 0;
};

/// Counts coroutine frames destroyed, completed or not.
struct destruction_counter {
    tally& count;
    explicit destruction_counter(tally& in) : count(in) {}
    destruction_counter(const destruction_counter&) = delete;
    ~destruction_counter() { ++count.destroyed; }
};

awaitable<void> verify_once(hash_pool& pool, std::string phc, tally& count)
{
    destruction_counter end(count);
    try {
        bool good = co_await pool.verify("password", std::move(phc));
        ++(good ? count.good : count.bad);
    } catch (const overloaded&) {
        ++count.rejected;
    }
}

std::string phc_of(const password_costs& costs)
{
    hash_arena arena;
    return hash_password(arena, "password", costs);
}

} // namespace

BOOST_AUTO_TEST_SUITE(hash_pool)

BOOST_FIXTURE_TEST_CASE(a_hash_verifies, core)
{
    crypto::hash_pool pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    auto phc = wait_for(pool.hash("password"));
    BOOST_TEST(!needs_rehash(phc, tiny));
    BOOST_TEST(wait_for(pool.verify("password", phc)));
    BOOST_TEST(!wait_for(pool.verify("passwort", phc)));
    BOOST_TEST((pool.costs() == tiny));
    BOOST_TEST(pool.state().queued == 0u);
}

BOOST_FIXTURE_TEST_CASE(a_pool_works_with_either_engine, core)
{
    crypto::hash_pool with_library({.costs = tiny, .engine = argon2_engine::libargon2});
    crypto::hash_pool with_built_in({.costs = tiny});
    BOOST_TEST(wait_for(with_built_in.verify("password", wait_for(with_library.hash("password")))));
    BOOST_TEST(wait_for(with_library.verify("password", wait_for(with_built_in.hash("password")))));
}

BOOST_FIXTURE_TEST_CASE(a_guessable_password_is_rejected_before_hashing, core)
{
    crypto::hash_pool pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    std::vector<std::string> inputs{"grace.hopper", "grace", "hopper"};
    auto phc = wait_for(pool.hash_if_strong("correct horse battery", inputs));
    BOOST_REQUIRE(phc.has_value());
    BOOST_TEST(wait_for(pool.verify("correct horse battery", *phc)));
    BOOST_TEST(!wait_for(pool.hash_if_strong("grace.hopper1906", inputs)).has_value());
    BOOST_TEST(!wait_for(pool.hash_if_strong("password1", {})).has_value());
}

BOOST_FIXTURE_TEST_CASE(a_missing_account_never_verifies, core)
{
    crypto::hash_pool pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    BOOST_TEST(!wait_for(pool.verify("password", "")));
    BOOST_TEST(!wait_for(pool.verify("", "")));
}

BOOST_FIXTURE_TEST_CASE(exceptions_reach_the_caller, core)
{
    crypto::hash_pool pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    BOOST_CHECK_THROW(wait_for(pool.hash(std::string(max_password_size + 1, 'x'))), std::length_error);
    BOOST_TEST(!wait_for(pool.verify(std::string(max_password_size + 1, 'x'), phc_of(tiny))));
    BOOST_TEST(!wait_for(pool.verify("x", "no phc string")));
}

BOOST_FIXTURE_TEST_CASE(hashes_of_higher_cost_verify_up_to_the_memory_limit, core)
{
    crypto::hash_pool pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    BOOST_TEST(wait_for(pool.verify("password", phc_of({8192, 1, 2}))));
    auto too_expensive = std::string(
        "$argon2id$v=19$m=262145,t=1,p=1$c29tZXNhbHQ$nf65EOgLrQMR/uIPnA4rEsF5h7TKyQwu9U1bMCHGi/4");
    BOOST_TEST(!wait_for(pool.verify("password", too_expensive)));
}

BOOST_FIXTURE_TEST_CASE(a_full_queue_rejects_and_the_rest_completes, core)
{
    crypto::hash_pool pool(
        {.threads = 1, .queue_limit = 5, .costs = slow, .max_queue_wait = std::chrono::minutes(1)});
    auto phc = phc_of(slow);
    tally count;
    std::size_t max_queued = 0;
    for (int i = 0; i < 40; ++i)
        spawn([&] { return verify_once(pool, phc, count); });
    boost::asio::post(io, [&] { max_queued = pool.state().queued; });
    io.run();
    BOOST_TEST(count.good >= 6); // one running and five queued
    BOOST_TEST(count.rejected > 0);
    BOOST_TEST(count.good + count.rejected == 40);
    BOOST_TEST(max_queued > 0u);
    BOOST_TEST(max_queued <= 6u); // the thread may not have taken its job yet
    BOOST_TEST(wait_for(pool.verify("password", phc)), "it did not recover");
}

BOOST_FIXTURE_TEST_CASE(without_a_queue_a_free_thread_still_hashes, core)
{
    crypto::hash_pool pool({.threads = 1, .queue_limit = 0, .costs = tiny});
    for (int i = 0; i < 20; ++i) {
        tally count;
        auto phc = phc_of(tiny);
        spawn([&] { return verify_once(pool, phc, count); });
        io.run();
        io.restart();
        // A thread resumes its caller slightly before it is free again.
        BOOST_TEST(count.good + count.rejected == 1);
        if (i == 0)
            BOOST_TEST(count.good == 1);
    }
}

BOOST_FIXTURE_TEST_CASE(an_unawaited_awaitable_takes_no_queue_slot, core)
{
    crypto::hash_pool pool({.threads = 1, .queue_limit = 0, .costs = tiny});
    for (int i = 0; i < 10; ++i) {
        auto dropped = pool.hash("password");
    }
    BOOST_TEST(!wait_for(pool.hash("password")).empty());
}

BOOST_AUTO_TEST_CASE(each_caller_resumes_on_its_own_executor)
{
    crypto::hash_pool pool({.threads = 2, .queue_limit = 1000, .costs = tiny});
    auto phc = phc_of(tiny);
    std::atomic<int> good = 0, on_other_threads = 0;
    auto task = [&]() -> awaitable<void> {
        auto home = std::this_thread::get_id();
        for (int i = 0; i < 10; ++i) {
            bool right = co_await pool.verify("password", phc);
            good += right;
            on_other_threads += std::this_thread::get_id() != home;
        }
    };
    core cores[3];
    std::vector<std::thread> threads;
    for (auto& each : cores) {
        for (int i = 0; i < 10; ++i)
            each.spawn(task);
        threads.emplace_back([&each] { each.io.run(); });
    }
    for (auto& thread : threads)
        thread.join();
    BOOST_TEST(good == 300);
    BOOST_TEST(on_other_threads == 0);
}

BOOST_FIXTURE_TEST_CASE(destroying_the_pool_drops_queued_jobs, core)
{
    tally count;
    auto phc = phc_of(slow);
    auto pool = std::make_unique<crypto::hash_pool>(crypto::hash_pool::config{
        .threads = 2, .queue_limit = 100, .costs = slow, .max_queue_wait = std::chrono::minutes(1)});
    for (int i = 0; i < 30; ++i)
        spawn([&] { return verify_once(*pool, phc, count); });
    io.poll();
    pool.reset();
    io.restart();
    io.run();
    BOOST_TEST(count.destroyed == 30); // every task was destroyed on this thread, resumed or not
    BOOST_TEST(count.good < 30);
    BOOST_TEST(count.rejected == 0);
}

BOOST_AUTO_TEST_CASE(a_stopped_core_may_outlive_the_pool)
{
    tally count;
    auto phc = phc_of(slow);
    {
        core stopped;
        crypto::hash_pool pool({.threads = 1, .queue_limit = 100, .costs = slow});
        for (int i = 0; i < 10; ++i)
            stopped.spawn([&] { return verify_once(pool, phc, count); });
        stopped.io.poll();
    }
    BOOST_TEST(count.destroyed == 10);
}

BOOST_AUTO_TEST_CASE(an_idle_pool_stops_immediately)
{
    for (int i = 0; i < 20; ++i)
        crypto::hash_pool pool({.threads = 4, .queue_limit = 1, .costs = tiny});
}

BOOST_FIXTURE_TEST_CASE(only_pool_threads_lower_their_priority, core)
{
    crypto::hash_pool pool({.threads = 1, .queue_limit = 4, .costs = tiny});
    auto before = getpriority(PRIO_PROCESS, 0);
    wait_for(pool.hash("password"));
    BOOST_TEST(getpriority(PRIO_PROCESS, 0) == before);
}

BOOST_AUTO_TEST_CASE(a_missing_account_takes_the_time_of_the_imitated_costs)
{
    crypto::hash_pool pool({.costs = tiny});
    core one;
    constexpr password_costs stored{.memory_kib = 65536, .iterations = 2, .lanes = 1};
    // CPU time: other tests run beside this one, and the elapsed time of a call is theirs, too.
    auto cpu_ms = [] {
        timespec now{};
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
        return static_cast<double>(now.tv_sec) * 1e3 + static_cast<double>(now.tv_nsec) / 1e6;
    };
    auto time_of = [&](const std::string& phc) {
        auto start = cpu_ms();
        BOOST_TEST(!one.wait_for(pool.verify("wrong", phc)));
        return cpu_ms() - start;
    };
    auto ratio = [&] {
        double missing = 1e9, existing = 1e9;
        for (int i = 0; i < 7; ++i) {
            missing = std::min(missing, time_of(""));
            existing = std::min(existing, time_of(dummy_hash(stored)));
        }
        return missing / existing;
    };
    BOOST_TEST((pool.imitated_costs() == tiny));
    BOOST_TEST(ratio() < 0.2);
    pool.imitate(stored);
    BOOST_TEST((pool.imitated_costs() == stored));
    BOOST_TEST(ratio() > 0.5);
    BOOST_TEST((pool.costs() == tiny));
}

BOOST_AUTO_TEST_SUITE_END()
