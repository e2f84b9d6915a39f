#include "tests/db/database_fixture.hpp"
#include "tests/support/eventually.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <thread>

BOOST_AUTO_TEST_SUITE(invalidation_bus)

using db::test::from_now;
using db::test::new_digest;
using state = db::principals::state;

namespace {

/// A core on a thread of its own, as the server runs it.
class running_core {
public:
    running_core(const support::database& data, db::invalidation_bus& changes)
    {
        std::promise<db::test::core*> started;
        thread_ = std::thread([&] {
            db::test::core self(data, changes);
            auto work = boost::asio::make_work_guard(self.io);
            started.set_value(&self);
            self.io.run();
        });
        core_ = started.get_future().get();
    }

    ~running_core()
    {
        core_->io.stop();
        thread_.join();
    }

    db::test::core* operator->() { return core_; }

    /// Run a coroutine there, and wait for it here.
    template <class Body>
    void run(Body body)
    {
        boost::asio::co_spawn(core_->io, std::move(body), boost::asio::use_future).get();
    }

private:
    db::test::core* core_ = nullptr;
    std::thread thread_;
};

db::invalidation of_credential(const db::uuid& id)
{
    db::invalidation affected;
    affected.credentials.push_back(id);
    return affected;
}

const db::statement revoke_by_id{"test_revoke_by_id", "UPDATE api_keys SET revoked_at = now() WHERE id = $1"};
const db::statement fail_always{"test_fail", "SELECT 1 / (1 - $1::int)"};
const db::statement sleep_long{"test_sleep", "SELECT pg_sleep(30)"};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_commit_evicts_on_every_core, db::test::database_fixture)
{
    running_core two(data, changes);
    auto key = add_key(bob);
    run([&] { return one.principals.load_api_key(key.digest); });
    two.run([&]() -> db::awaitable<void> { co_await two->principals.load_api_key(key.digest); });

    auto event = db::test::event("x");
    event.workspace_id = workspace;
    run([&] { return db::api_keys::revoke({changes, one.db}, {workspace, bob}, key.prefix, event); });
    BOOST_TEST((one.principals.cached(key.digest).state == state::miss));
    two.run([&]() -> db::awaitable<void> {
        BOOST_TEST((two->principals.cached(key.digest).state == state::miss));
        co_return;
    });
}

// So that no core stands still for it.
BOOST_FIXTURE_TEST_CASE(a_large_workspace_is_evicted_in_slices_before_a_commit_returns,
                        db::test::database_fixture)
{
    running_core two(data, changes);
    data.sql("INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, role) SELECT "
             "gen_random_uuid(), 'p' || i, sha256(i::text::bytea), 'x', '{a}', '" +
             to_string(workspace) + "', 'member' FROM generate_series(1, 5000) i");
    std::vector<db::digest> keys(5000);
    auto hex = data.sql("SELECT string_agg(encode(digest, 'hex'), '') FROM api_keys WHERE name = 'x'");
    BOOST_REQUIRE(hex.size() == keys.size() * 64);
    for (std::size_t i = 0; i < hex.size(); i += 2)
        keys[i / 64][i / 2 % 32] =
            static_cast<db::digest::value_type>(std::stoi(hex.substr(i, 2), nullptr, 16));
    auto load = [&](db::principals& to) -> db::awaitable<void> {
        auto executor = co_await boost::asio::this_coro::executor;
        for (auto& key : keys)
            boost::asio::co_spawn(executor, to.load_api_key(key), boost::asio::detached);
        db::steady_timer pause(executor);
        while (to.size() < keys.size()) {
            pause.expires_after(std::chrono::milliseconds(5));
            co_await pause.async_wait(db::use_awaitable);
        }
    };
    run([&] { return load(one.principals); });
    two.run([&] { return load(two->principals); });

    // Handlers that run on the core while it evicts: one for each slice.
    int turns = 0;
    bool done = false;
    auto count_turns = [&]() -> db::awaitable<void> {
        auto executor = co_await boost::asio::this_coro::executor;
        while (!done) {
            co_await boost::asio::post(executor, db::use_awaitable);
            turns += !done && one.principals.size() > 0;
        }
    };
    boost::asio::co_spawn(one.io, count_turns(), boost::asio::detached);
    db::invalidation affected;
    affected.workspaces.push_back(workspace);
    run([&] { return changes.evict(affected); });
    done = true;
    BOOST_TEST(turns >= 2);
    BOOST_TEST(one.principals.size() == 0u);
    two.run([&]() -> db::awaitable<void> {
        BOOST_TEST(two->principals.size() == 0u);
        co_return;
    });
}

BOOST_FIXTURE_TEST_CASE(a_batch_with_unknown_outcome_evicts_twice, db::test::database_fixture)
{
    db::invalidation_bus::config quick;
    quick.in_doubt_time = std::chrono::seconds(2);
    db::invalidation_bus mine(quick);
    db::test::core two(data, mine);
    auto key = add_key(bob);
    auto load = [&] { support::run(two.io, [&] { return two.principals.load_api_key(key.digest); }); };
    auto is_cached = [&] { return two.principals.cached(key.digest).state == state::hit; };

    load();
    db::batch refused;
    refused.add(fail_always, 1);
    BOOST_CHECK_THROW(
        support::run(two.io, [&] { return mine.commit(two.db, std::move(refused), of_credential(key.id)); }),
        db::failure);

    load();
    db::batch lost;
    lost.add(sleep_long);
    auto cut = std::thread([&] {
        while (data.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE query LIKE "
                        "'%pg_sleep(30)' "
                        "AND state = 'active'") == "0")
            std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    BOOST_CHECK_THROW(
        support::run(two.io, [&] { return mine.commit(two.db, std::move(lost), of_credential(key.id)); }),
        db::failure);
    cut.join();
    BOOST_TEST(!is_cached());
    load(); // may be the previous state, if the batch commits only now
    BOOST_TEST(is_cached());
    two.io.restart();
    auto deadline = std::chrono::steady_clock::now() + support::default_deadline;
    while (is_cached() && std::chrono::steady_clock::now() < deadline)
        two.io.run_one_for(std::chrono::milliseconds(20));
    BOOST_TEST(!is_cached());
}

BOOST_FIXTURE_TEST_CASE(an_invalidation_computed_from_the_answers_evicts_only_that,
                        db::test::database_fixture)
{
    auto key = add_key(bob), other = add_key(bob);
    for (const auto& each : {key, other})
        run([&] { return one.principals.load_api_key(each.digest); });
    db::invalidation at_most;
    at_most.users.push_back(bob);
    db::batch work;
    work.add(revoke_by_id, key.id);
    run([&] {
        return changes.commit(one.db, std::move(work), at_most,
                              [&](const db::results&) { return of_credential(key.id); });
    });
    BOOST_TEST((one.principals.cached(key.digest).state == state::miss));
    BOOST_TEST((one.principals.cached(other.digest).state == state::hit));
}

BOOST_FIXTURE_TEST_CASE(a_core_that_has_stopped_is_not_awaited, db::test::database_fixture)
{
    db::test::core idle(data, changes); // registered, and never runs
    bool done = false;
    auto evict = [&]() -> db::awaitable<void> {
        auto affected = of_credential(bob);
        co_await changes.evict(std::move(affected));
        done = true;
    };
    boost::asio::co_spawn(one.io, evict(), boost::asio::detached);
    one.io.run_for(std::chrono::milliseconds(100));
    BOOST_TEST(!done);
    idle.registration = {};
    auto deadline = std::chrono::steady_clock::now() + support::default_deadline;
    while (!done && std::chrono::steady_clock::now() < deadline) {
        one.io.restart();
        one.io.run_one_for(std::chrono::milliseconds(20));
    }
    BOOST_TEST(done);
}

BOOST_FIXTURE_TEST_CASE(a_caller_that_stops_while_waiting_leaks_nothing, db::test::database_fixture)
{
    db::test::core idle(data, changes);
    {
        db::test::core caller(data, changes);
        auto affected = of_credential(bob);
        boost::asio::co_spawn(caller.io, changes.evict(affected), boost::asio::detached);
        caller.io.run_for(std::chrono::milliseconds(20));
    }
    idle.io.run_for(std::chrono::milliseconds(20));
    BOOST_TEST(idle.principals.size() == 0u);
}

/* Two cores check one key without pause while a third revokes it and mints another, repeatedly. A check that
   began after the revocation had returned must never find the key. */
BOOST_FIXTURE_TEST_CASE(no_core_accepts_a_key_after_its_revocation_has_returned, db::test::database_fixture)
{
    constexpr int rounds = 150;
    struct slot {
        db::test::key key;
        std::atomic<bool> revoked{false};
    };
    std::vector<slot> slots(rounds);
    for (auto& each : slots)
        each.key = add_key(bob);
    std::atomic<int> current{0}, wrong{0}, accepted{0}, refused{0};

    auto check = [&](db::principals& cache, const slot& each) -> db::awaitable<void> {
        bool too_late = each.revoked;
        auto known = cache.cached(each.key.digest);
        auto found = known.principal;
        if (known.state == state::miss)
            found = co_await cache.load_api_key(each.key.digest);
        wrong += too_late && found;
        (found ? accepted : refused) += 1;
    };
    auto hammer = [&](db::test::core& on) -> db::awaitable<void> {
        while (current < rounds) {
            auto at = std::min(current.load(), rounds - 1);
            co_await check(on.principals, slots[static_cast<std::size_t>(at)]);
            if (at > 0)
                co_await check(on.principals, slots[static_cast<std::size_t>(at - 1)]);
            co_await boost::asio::post(db::use_awaitable);
        }
    };

    one.registration = {}; // this thread does not run it while it waits for the other cores
    running_core two(data, changes), three(data, changes), four(data, changes);
    std::atomic<int> hammering{0};
    for (auto* core : {two.operator->(), three.operator->()})
        for (int i = 0; i < 4; ++i) {
            ++hammering;
            boost::asio::co_spawn(core->io, hammer(*core), [&](std::exception_ptr) { --hammering; });
        }
    four.run([&]() -> db::awaitable<void> {
        for (; current < rounds; ++current) {
            auto& each = slots[static_cast<std::size_t>(current.load())];
            auto before = accepted.load();
            while (accepted < before + 20)
                co_await boost::asio::post(db::use_awaitable);
            db::batch work;
            work.add(revoke_by_id, each.key.id);
            auto affected = of_credential(each.key.id);
            co_await changes.commit(four->db, std::move(work), std::move(affected));
            each.revoked = true;
        }
    });
    while (hammering > 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    BOOST_TEST(wrong == 0);
    BOOST_TEST(refused > 0);
}

BOOST_AUTO_TEST_SUITE_END()
