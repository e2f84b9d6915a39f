#include "tests/db/database_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <atomic>
#include <future>
#include <thread>

BOOST_AUTO_TEST_SUITE(invalidation)

using house::in;
using house::new_digest;
using state = db::principals::state;

namespace {

/// A core on a thread of its own, as the server runs it.
class running_core {
public:
    running_core(const support::database& data, db::principal_changes& changes)
    {
        std::promise<house::core*> started;
        thread_ = std::thread([&] {
            house::core self(data, changes);
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

    house::core* operator->() { return core_; }

    /// Run a coroutine there, and wait for it here.
    template <class Body>
    void run(Body body)
    {
        boost::asio::co_spawn(core_->io, std::move(body), boost::asio::use_future).get();
    }

private:
    house::core* core_ = nullptr;
    std::thread thread_;
};

db::change of_credential(const db::uuid& id)
{
    db::change what;
    what.credentials.push_back(id);
    return what;
}

const db::statement revoke_by_id{"test_revoke_by_id", "UPDATE api_keys SET revoked_at = now() WHERE id = $1"};
const db::statement fail_always{"test_fail", "SELECT 1 / (1 - $1::int)"};
const db::statement sleep_long{"test_sleep", "SELECT pg_sleep(30)"};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_commit_makes_every_core_forget, house::fixture)
{
    running_core two(data, changes);
    auto key = add_key(bob);
    run([&] { return one.principals.load_api_key(key.digest); });
    two.run([&]() -> db::awaitable<void> { co_await two->principals.load_api_key(key.digest); });

    auto event = house::event("x");
    event.workspace_id = workspace;
    run([&] { return db::api_keys::revoke(changes, one.db, {workspace, bob}, key.prefix, event); });
    BOOST_TEST((one.principals.cached(key.digest).state == state::miss));
    two.run([&]() -> db::awaitable<void> {
        BOOST_TEST((two->principals.cached(key.digest).state == state::miss));
        co_return;
    });
}

BOOST_FIXTURE_TEST_CASE(a_refused_batch_is_told_and_an_uncertain_one_evicts, house::fixture)
{
    db::principal_changes::config quick;
    quick.settle_time = std::chrono::milliseconds(50);
    db::principal_changes mine(quick);
    house::core two(data, mine);
    auto key = add_key(bob);
    auto load = [&] { support::run(two.io, [&] { return two.principals.load_api_key(key.digest); }); };
    auto remembered = [&] { return two.principals.cached(key.digest).state == state::hit; };

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
    BOOST_TEST(!remembered());
    load(); // could be the state before, if the batch commits only now
    BOOST_TEST(remembered());
    two.io.restart();
    two.io.run_for(std::chrono::milliseconds(200));
    BOOST_TEST(!remembered());
}

BOOST_FIXTURE_TEST_CASE(a_change_told_by_the_answers_evicts_that_alone, house::fixture)
{
    auto key = add_key(bob), other = add_key(bob);
    for (const auto& each : {key, other})
        run([&] { return one.principals.load_api_key(each.digest); });
    db::change whole;
    whole.users.push_back(bob);
    db::batch work;
    work.add(revoke_by_id, key.id);
    run([&] {
        return changes.commit(one.db, std::move(work), whole,
                              [&](const db::results&) { return of_credential(key.id); });
    });
    BOOST_TEST((one.principals.cached(key.digest).state == state::miss));
    BOOST_TEST((one.principals.cached(other.digest).state == state::hit));
}

BOOST_FIXTURE_TEST_CASE(nobody_waits_for_a_core_that_has_stopped, house::fixture)
{
    house::core idle(data, changes); // enrolled, and never runs
    bool done = false;
    auto evict = [&]() -> db::awaitable<void> {
        auto what = of_credential(bob);
        co_await changes.evict(std::move(what));
        done = true;
    };
    boost::asio::co_spawn(one.io, evict(), boost::asio::detached);
    one.io.run_for(std::chrono::milliseconds(100));
    BOOST_TEST(!done);
    idle.enrolled = {};
    one.io.run_for(std::chrono::milliseconds(100));
    BOOST_TEST(done);
}

BOOST_FIXTURE_TEST_CASE(a_caller_that_stops_while_it_waits_leaves_nothing_behind, house::fixture)
{
    house::core idle(data, changes);
    {
        house::core caller(data, changes);
        auto what = of_credential(bob);
        boost::asio::co_spawn(caller.io, changes.evict(what), boost::asio::detached);
        caller.io.run_for(std::chrono::milliseconds(20));
    }
    idle.io.run_for(std::chrono::milliseconds(20));
    BOOST_TEST(idle.principals.remembered() == 0u);
}

/* Two cores check one key without pause while a third revokes it and mints another, again and again. A check
   that began after the revocation had returned must never find the key. */
BOOST_FIXTURE_TEST_CASE(no_core_accepts_a_key_after_its_revocation_has_returned, house::fixture)
{
    constexpr int rounds = 150;
    struct slot {
        house::key key;
        std::atomic<bool> revoked{false};
    };
    std::vector<slot> slots(rounds);
    for (auto& each : slots)
        each.key = add_key(bob);
    std::atomic<int> current{0}, wrong{0}, accepted{0}, refused{0};

    auto check = [&](db::principals& whom, const slot& each) -> db::awaitable<void> {
        bool too_late = each.revoked;
        auto known = whom.cached(each.key.digest);
        auto who = known.who;
        if (known.state == state::miss)
            who = co_await whom.load_api_key(each.key.digest);
        wrong += too_late && who;
        (who ? accepted : refused) += 1;
    };
    auto hammer = [&](house::core& on) -> db::awaitable<void> {
        while (current < rounds) {
            auto at = std::min(current.load(), rounds - 1);
            co_await check(on.principals, slots[static_cast<std::size_t>(at)]);
            if (at > 0)
                co_await check(on.principals, slots[static_cast<std::size_t>(at - 1)]);
            co_await boost::asio::post(db::use_awaitable);
        }
    };

    one.enrolled = {}; // this thread does not run it while it waits for the others
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
            auto what = of_credential(each.key.id);
            co_await changes.commit(four->db, std::move(work), std::move(what));
            each.revoked = true;
        }
    });
    while (hammering > 0)
        std::this_thread::sleep_for(std::chrono::milliseconds(1));
    BOOST_TEST(wrong == 0);
    BOOST_TEST(refused > 0);
}

BOOST_AUTO_TEST_SUITE_END()
