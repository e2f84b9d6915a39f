// Cache coherence of several nodes on one database.
#include "db/principals/node.hpp"

#include "tests/db/database_fixture.hpp"
#include "tests/support/eventually.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <future>
#include <memory>
#include <optional>
#include <string_view>
#include <thread>
#include <vector>

using namespace std::chrono_literals;
using state = db::principals::state;

namespace {

constexpr auto lease_length = 1000ms;

const db::statement disable{"test_disable_user", "UPDATE users SET disabled_at = now() WHERE id = $1"};

db::node::config node_settings(const std::string& conninfo)
{
    db::node::config out;
    out.connection.conninfo = conninfo;
    out.connection.connect_timeout = 1s;
    out.lease_length = lease_length;
    out.ack_timeout = 3s;
    out.fence_after = 1500ms;
    return out;
}

/** One server process: a core and its node, on one thread that can be suspended.
    @param probe_database another database, so that the loopback probe fails */
class process {
public:
    explicit process(const support::database& data, const support::database* probe_database = nullptr)
    {
        std::promise<void> started;
        thread_ = std::thread([&, probe_database = probe_database ? probe_database : &data] {
            db::principals::config settings;
            settings.lease = &lease_;
            db::test::core core(data, changes_, settings);
            db::pool other(core.io, db::test::core::pipeline_settings(*probe_database), 1);
            auto own = node_settings(data.conninfo());
            own.connection.on_event = [this](std::string_view event, std::string_view detail) {
                if (event == "lease ended")
                    lease_ended_ = std::string(detail);
            };
            std::optional<db::node> self(std::in_place, core.io, other, changes_, lease_, std::move(own));
            auto work = boost::asio::make_work_guard(core.io);
            core_ = &core;
            node_ = &*self;
            started.set_value();
            core.io.run();
        });
        started.get_future().get();
    }

    ~process()
    {
        resume();
        core_->io.stop();
        thread_.join();
    }

    /// Run a coroutine there, and wait for it here.
    template <class Body>
    auto run(Body body)
    {
        return boost::asio::co_spawn(core_->io, std::move(body), boost::asio::use_future).get();
    }

    bool holds_lease() const { return lease_.holds(); }

    bool gets_lease() const
    {
        return support::eventually(20s, [&] { return holds_lease(); });
    }

    state cached(const db::digest& key)
    {
        return run([&]() -> db::awaitable<state> { co_return core_->principals.cached(key).state; });
    }

    void load(const db::digest& key)
    {
        run([&]() -> db::awaitable<void> { co_await core_->principals.load_api_key(key); });
    }

    /// Load a key. @return whether it is cached then
    bool caches(const db::digest& key)
    {
        load(key);
        return cached(key) == state::hit;
    }

    /// @return how long the revocation took
    std::chrono::milliseconds revoke(const db::test::database_fixture& of, const db::test::key& key)
    {
        auto event = db::test::event("api_key.revoke");
        event.workspace_id = of.workspace;
        auto begin = std::chrono::steady_clock::now();
        run([&]() -> db::awaitable<void> {
            db::api_keys::owner_filter within{of.workspace, of.bob};
            db::transaction work(changes_, core_->db);
            co_await db::api_keys::revoke(std::move(work), within, key.prefix, event);
        });
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                     begin);
    }

    std::chrono::milliseconds revoke_by_digest(const db::test::key& key)
    {
        auto begin = std::chrono::steady_clock::now();
        run([&]() -> db::awaitable<void> {
            db::transaction work(changes_, core_->db);
            auto event = db::test::event("api_key.report");
            co_await db::api_keys::revoke_by_digest(std::move(work), key.digest, event, std::nullopt);
        });
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                     begin);
    }

    /// Block the thread until resume(), as SIGSTOP would.
    void suspend()
    {
        std::promise<void> suspended;
        resumed_.emplace();
        boost::asio::post(core_->io, [&suspended, wait = resumed_->get_future().share()] {
            suspended.set_value();
            wait.wait();
        });
        suspended.get_future().get();
    }

    void resume()
    {
        if (resumed_)
            resumed_->set_value();
        resumed_.reset();
    }

    void deregister()
    {
        run([&]() -> db::awaitable<void> { co_await node_->deregister(); });
    }

    std::size_t other_live_nodes()
    {
        return run([&]() -> db::awaitable<std::size_t> { co_return node_->other_live_nodes(); });
    }

    /// Why the node has last ended its lease itself.
    std::string lease_ended()
    {
        return run([&]() -> db::awaitable<std::string> { co_return lease_ended_; });
    }

    db::node& node() { return *node_; }
    db::test::core& core() { return *core_; }
    db::invalidation_bus& changes() { return changes_; }

private:
    db::lease lease_;
    db::invalidation_bus changes_;
    db::test::core* core_ = nullptr;
    db::node* node_ = nullptr;
    std::optional<std::promise<void>> resumed_;
    std::string lease_ended_;
    std::thread thread_;
};

struct two_nodes : db::test::database_fixture {
    two_nodes()
    {
        BOOST_REQUIRE(a.gets_lease());
        BOOST_REQUIRE(b.gets_lease());
    }

    std::string rows() { return data.sql("SELECT count(*) FROM nodes"); }

    /// End the connections on which nodes listen.
    void terminate_connections()
    {
        data.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                 " WHERE datname = current_database() AND pid <> pg_backend_pid() AND"
                 " query ~ 'nodes|latchkey_acknowledgements|acknowledge_changes|republish_change|LISTEN'");
    }

    process a{data}, b{data};
};

} // namespace

BOOST_AUTO_TEST_SUITE(node)

BOOST_FIXTURE_TEST_CASE(a_lease_is_renewed_until_the_node_deregisters, two_nodes)
{
    BOOST_TEST(rows() == "2");
    for (int i = 0; i < 30; ++i) {
        BOOST_TEST(a.holds_lease());
        BOOST_TEST(b.holds_lease());
        std::this_thread::sleep_for(100ms);
    }
    BOOST_TEST(a.other_live_nodes() == 1u);
    BOOST_TEST(data.sql("SELECT min(renewals) > 8 AND max(epoch) = 2 FROM nodes") == "t");
    a.deregister();
    BOOST_TEST(!a.holds_lease());
    BOOST_TEST(rows() == "1");
    BOOST_TEST(support::eventually(20s, [&] { return b.other_live_nodes() == 0; }));
}

BOOST_FIXTURE_TEST_CASE(when_a_commit_returns_the_other_node_has_evicted, two_nodes)
{
    std::vector<std::chrono::milliseconds> durations;
    for (int i = 0; i < 20; ++i) {
        auto key = add_key(bob);
        BOOST_REQUIRE(b.caches(key.digest));
        durations.push_back(a.revoke(*this, key));
        BOOST_TEST((b.cached(key.digest) == state::miss));
    }
    std::ranges::sort(durations);
    BOOST_TEST(durations[10].count() < lease_length.count() / 2); // by notice, not by expiry
}

BOOST_FIXTURE_TEST_CASE(only_affected_entries_are_evicted, two_nodes)
{
    auto key = add_key(bob), other = add_key(bob);
    BOOST_REQUIRE(b.caches(key.digest));
    BOOST_REQUIRE(b.caches(other.digest));
    a.revoke(*this, key);
    BOOST_TEST((b.cached(other.digest) == state::hit));
}

BOOST_FIXTURE_TEST_CASE(every_change_of_the_tables_notifies_the_nodes, two_nodes)
{
    auto in_workspace = " WHERE workspace_id = '" + to_string(workspace) + "'";
    for (std::string change : {
             "UPDATE memberships SET role = 'manager'" + in_workspace + " AND role = 'member'",
             "UPDATE memberships SET role = 'member'" + in_workspace + " AND role = 'manager'",
             "UPDATE api_keys SET scopes = '{team:read}'" + in_workspace,
             "UPDATE api_keys SET expires_at = now() + interval '1 day'" + in_workspace,
             std::string("UPDATE users SET email_verified_at = now()"),
             std::string("UPDATE users SET disabled_at = now()"),
             std::string("UPDATE users SET disabled_at = NULL"),
             std::string("UPDATE workspaces SET members_can_mint_keys = false"),
             "UPDATE workspaces SET owner_id = '" + to_string(bob) + "'",
         }) {
        auto key = add_key(bob);
        BOOST_REQUIRE(a.caches(key.digest));
        BOOST_REQUIRE(b.caches(key.digest));
        data.sql(change);
        BOOST_TEST(support::eventually(10s, [&] { return a.cached(key.digest) == state::miss; }), change);
        BOOST_TEST(support::eventually(10s, [&] { return b.cached(key.digest) == state::miss; }), change);
    }
    auto key = add_key(bob);
    BOOST_REQUIRE(b.caches(key.digest));
    data.sql(
        "UPDATE users SET name = 'Bob'; UPDATE workspaces SET name = 'x'; UPDATE api_keys SET last_used_at = "
        "now(), name = 'x'; UPDATE users SET email_verified_at = now()");
    std::this_thread::sleep_for(200ms);
    BOOST_TEST((b.cached(key.digest) == state::hit)); // none of it affects permissions
    data.sql("DELETE FROM api_keys");
    BOOST_TEST(support::eventually(10s, [&] { return b.cached(key.digest) == state::miss; }));
}

BOOST_FIXTURE_TEST_CASE(the_test_databases_refuse_an_unpublished_change, two_nodes)
{
    auto change = [&] { a.run([&]() -> db::awaitable<void> { co_await a.core().db.run(disable, bob); }); };
    BOOST_CHECK_EXCEPTION(change(), db::failure, [](const db::failure& why) {
        return std::string(why.what()).find("without publish_change") != std::string::npos;
    });
}

BOOST_FIXTURE_TEST_CASE(a_change_waits_for_the_lease_of_a_suspended_node, two_nodes)
{
    auto key = add_key(bob), again = add_key(bob);
    BOOST_REQUIRE(b.caches(key.digest));
    BOOST_REQUIRE(b.caches(again.digest));
    b.suspend();
    auto took = a.revoke(*this, key);
    BOOST_TEST(took.count() >= (lease_length / 2).count());
    BOOST_TEST(took.count() <= (lease_length + 1s).count());
    BOOST_TEST(!b.holds_lease());
    BOOST_TEST(a.revoke(*this, again).count() < (lease_length / 2).count()); // known to have expired by now

    b.resume(); // resumes without a valid lease
    BOOST_TEST((b.cached(key.digest) == state::miss));
    BOOST_TEST((b.cached(again.digest) == state::miss));
    BOOST_TEST(b.gets_lease());
    BOOST_TEST((b.cached(key.digest) == state::miss));
}

BOOST_FIXTURE_TEST_CASE(a_node_that_lost_its_connection_registers_again_with_an_empty_cache, two_nodes)
{
    auto key = add_key(bob), other = add_key(bob);
    BOOST_REQUIRE(b.caches(key.digest));
    BOOST_REQUIRE(b.caches(other.digest));
    terminate_connections();
    a.revoke(*this, key);
    BOOST_TEST((b.cached(key.digest) == state::miss));
    BOOST_TEST(support::eventually(20s, [&] { return data.sql("SELECT min(epoch) > 2 FROM nodes") == "t"; }));
    BOOST_TEST(a.gets_lease());
    BOOST_TEST(b.gets_lease());
    BOOST_TEST((b.cached(other.digest) == state::miss)); // a change may have been missed
    auto next = add_key(bob);
    BOOST_REQUIRE(b.caches(next.digest));
    BOOST_TEST(a.revoke(*this, next).count() < (lease_length * 3).count());
    BOOST_TEST((b.cached(next.digest) == state::miss));
}

BOOST_FIXTURE_TEST_CASE(deregistered_and_expired_nodes_are_not_awaited, two_nodes)
{
    data.sql(
        "INSERT INTO nodes (id, epoch, renewals, lease_ms, request) VALUES (gen_random_uuid(), 1, 1, 1000, 1)");
    BOOST_TEST(support::eventually(20s, [&] { return a.other_live_nodes() == 2; }));
    BOOST_TEST(support::eventually(20s, [&] { return a.other_live_nodes() == 1; }));
    b.deregister();
    auto key = add_key(bob);
    a.load(key.digest);
    BOOST_TEST(a.revoke(*this, key).count() < (lease_length / 2).count());
}

BOOST_FIXTURE_TEST_CASE(a_node_that_cannot_listen_has_no_lease_and_its_changes_reach_the_others, two_nodes)
{
    support::database another;
    process muted(data, &another);
    auto key = add_key(bob);
    BOOST_REQUIRE(a.caches(key.digest));
    auto took = muted.revoke(*this, key);
    BOOST_TEST(!muted.holds_lease());
    BOOST_TEST(took.count() <= (lease_length + 3s).count());
    BOOST_TEST((a.cached(key.digest) == state::miss));
    BOOST_TEST((b.cached(key.digest) == state::miss));
    BOOST_TEST(a.gets_lease()); // a new one, if it was fenced
    auto mine = add_key(bob);
    muted.load(mine.digest);
    BOOST_TEST((muted.cached(mine.digest) == state::miss)); // it queries every time
}

// As with a probe that is lost or late on a busy server: acknowledgements arrive all the same.
BOOST_FIXTURE_TEST_CASE(a_node_without_a_proof_that_it_receives_notices_fences_none_that_acknowledge,
                        two_nodes)
{
    std::optional<support::database> another(std::in_place), gone(std::in_place);
    process unheard(data, &*another), failing(data, &*gone);
    gone.reset(); // now the probe cannot even be sent
    auto key = add_key(bob), other = add_key(bob);
    BOOST_REQUIRE(b.caches(key.digest));
    BOOST_TEST(unheard.revoke(*this, key).count() < (lease_length + 1s).count());
    BOOST_TEST(failing.revoke(*this, other).count() <= 3500);
    BOOST_TEST((b.cached(key.digest) == state::miss));
    BOOST_TEST(data.sql("SELECT bool_or(fenced) OR max(epoch) > 2 FROM nodes") == "f");
}

BOOST_FIXTURE_TEST_CASE(a_row_lock_delays_no_renewal_of_the_node_that_fences, two_nodes)
{
    b.deregister();
    auto deaf = to_string(boost::uuids::random_generator()());
    data.sql("INSERT INTO nodes (id, epoch, renewals, lease_ms, request) VALUES ('" + deaf +
             "', 1, 1, 60000, 1)");
    auto locks = std::async(std::launch::async, [&] {
        data.sql("BEGIN; SELECT FROM nodes WHERE id = '" + deaf + "' FOR UPDATE; SELECT pg_sleep(3)");
    });
    auto change = std::async(std::launch::async, [&] { a.revoke(*this, add_key(bob)); });
    while (locks.wait_for(20ms) != std::future_status::ready)
        BOOST_TEST(a.holds_lease());
    BOOST_TEST(support::eventually(
        20s, [&] { return data.sql("SELECT fenced FROM nodes WHERE id = '" + deaf + "'") == "t"; }));
    data.sql("DELETE FROM nodes WHERE id = '" + deaf + "'");
    change.get();
}

BOOST_FIXTURE_TEST_CASE(a_fenced_node_registers_again_with_an_empty_cache, two_nodes)
{
    auto key = add_key(bob);
    BOOST_REQUIRE(b.caches(key.digest));
    auto epoch = data.sql("SELECT epoch FROM nodes WHERE id = '" + to_string(b.node().id()) + "'");
    data.sql("UPDATE nodes SET fenced = true WHERE id = '" + to_string(b.node().id()) + "'");
    BOOST_TEST(support::eventually(20s, [&] {
        return data.sql("SELECT NOT fenced AND epoch > " + epoch + " FROM nodes WHERE id = '" +
                        to_string(b.node().id()) + "'") == "t";
    }));
    BOOST_TEST(b.gets_lease());
    BOOST_TEST((b.cached(key.digest) == state::miss));
    BOOST_TEST(a.holds_lease());
}

namespace {

/// A statement of the program.
const db::statement& statement_named(std::string_view name)
{
    auto each = db::statement::first();
    while (each && each->name() != name)
        each = each->next();
    BOOST_REQUIRE(each);
    return *each;
}

} // namespace

// PostgreSQL executes a request of a connection that was given up when it gets to it.
BOOST_FIXTURE_TEST_CASE(a_registration_that_is_executed_late_changes_nothing, two_nodes)
{
    auto row = "SELECT epoch FROM nodes WHERE id = '" + to_string(b.node().id()) + "'";
    auto epoch = data.sql(row);
    terminate_connections();
    BOOST_REQUIRE(support::eventually(20s, [&] { return data.sql(row) != epoch; }));
    BOOST_REQUIRE(b.gets_lease());
    epoch = data.sql(row);
    auto register_again = [&](std::int64_t request) {
        return a.run([&, request]() -> db::awaitable<std::size_t> {
            auto& stmt = statement_named("node_register");
            auto answer = co_await a.core().db.run(stmt, b.node().id(), std::int32_t{1000}, request);
            co_return answer.size();
        });
    };
    auto last =
        std::stoll(data.sql("SELECT request FROM nodes WHERE id = '" + to_string(b.node().id()) + "'"));
    BOOST_TEST(register_again(1) == 0u);
    BOOST_TEST(register_again(last) == 0u);
    BOOST_TEST(data.sql(row) == epoch);
    BOOST_TEST(register_again(1'000'000) == 1u);
    BOOST_TEST(data.sql(row) != epoch);
}

// As a program of an earlier version would do.
BOOST_FIXTURE_TEST_CASE(no_other_program_changes_an_epoch_or_renews_a_fenced_lease, two_nodes)
{
    BOOST_CHECK_THROW(data.sql("UPDATE nodes SET epoch = epoch + 1"), std::exception);
    BOOST_CHECK_THROW(data.sql("UPDATE nodes SET fenced = true; UPDATE nodes SET renewals = renewals + 1"),
                      std::exception);
    BOOST_CHECK_THROW(
        data.sql("INSERT INTO nodes (id, epoch, renewals, lease_ms) VALUES (gen_random_uuid(), 1, 1, 1000)"),
        std::exception);
    BOOST_TEST(a.holds_lease());
    BOOST_TEST(b.holds_lease());
}

BOOST_FIXTURE_TEST_CASE(a_node_that_renews_and_never_acknowledges_is_fenced, two_nodes)
{
    b.deregister();
    auto deaf = to_string(boost::uuids::random_generator()());
    data.sql("INSERT INTO nodes (id, epoch, renewals, lease_ms, request) VALUES ('" + deaf +
             "', 1, 1, 1000, 1)");
    std::jthread renews([&](std::stop_token done) {
        while (!done.stop_requested()) {
            data.sql("UPDATE nodes SET renewals = renewals + 1 WHERE id = '" + deaf + "' AND NOT fenced");
            std::this_thread::sleep_for(50ms);
        }
    });
    auto took = a.revoke(*this, add_key(bob));
    BOOST_TEST(took.count() >= 1500);
    BOOST_TEST(took.count() >= (1500ms + lease_length / 2).count());
    BOOST_TEST(took.count() <= (1500ms + lease_length + 2s).count());
    BOOST_TEST(data.sql("SELECT fenced FROM nodes WHERE id = '" + deaf + "'") == "t");
}

BOOST_FIXTURE_TEST_CASE(a_core_that_does_not_evict_delays_neither_the_other_cores_nor_the_lease_of_others,
                        two_nodes)
{
    auto key = add_key(bob), other = add_key(bob);
    BOOST_REQUIRE(b.caches(key.digest));
    BOOST_REQUIRE(b.caches(other.digest));
    db::test::core stuck(data, b.changes()); // it never runs
    for (const auto& each : {key, other}) {
        auto before = b.run([&]() -> db::awaitable<std::size_t> { co_return b.core().principals.size(); });
        data.sql("UPDATE api_keys SET revoked_at = now() WHERE prefix = '" + each.prefix + "'");
        BOOST_TEST(support::eventually(20s, [&] {
            return b.run([&]() -> db::awaitable<std::size_t> { co_return b.core().principals.size(); }) <
                   before;
        }));
    }
    auto took = a.revoke(*this, key);
    BOOST_TEST(took.count() <= (lease_length + 1s).count()); // b renews no more
    BOOST_TEST(support::eventually(20s, [&] { return !b.holds_lease(); }));
    stuck.registration = {};
    BOOST_TEST(b.gets_lease());
}

BOOST_FIXTURE_TEST_CASE(an_unforeseen_failure_ends_the_lease_and_acquires_another, two_nodes)
{
    auto key = add_key(bob);
    BOOST_REQUIRE(b.caches(key.digest));
    b.run([&]() -> db::awaitable<void> {
        b.node().on_live_nodes = [thrown = false](std::size_t) mutable {
            if (!std::exchange(thrown, true))
                throw std::runtime_error("out of something");
        };
        co_return;
    });
    BOOST_TEST(support::eventually(20s, [&] { return b.lease_ended() == "out of something"; }));
    BOOST_TEST(b.gets_lease());
    BOOST_TEST((b.cached(key.digest) == state::miss));
    auto next = add_key(bob);
    BOOST_REQUIRE(b.caches(next.digest));
    BOOST_TEST(a.revoke(*this, next).count() < (lease_length / 2).count());
    BOOST_TEST((b.cached(next.digest) == state::miss));
}

// A second start would register while the lease of the first one is held.
BOOST_FIXTURE_TEST_CASE(failures_in_quick_succession_start_again_once, two_nodes)
{
    auto of_b = " FROM nodes WHERE id = '" + to_string(b.node().id()) + "'";
    b.run([&]() -> db::awaitable<void> {
        b.node().restart("one");
        b.node().restart("two");
        co_return;
    });
    BOOST_TEST(!b.holds_lease());
    BOOST_TEST(support::eventually(20s, [&] { return data.sql("SELECT epoch > 2" + of_b) == "t"; }));
    BOOST_TEST(b.gets_lease());
    auto renewals = data.sql("SELECT renewals + 2" + of_b);
    BOOST_TEST(
        support::eventually(20s, [&] { return data.sql("SELECT renewals > " + renewals + of_b) == "t"; }));
    BOOST_TEST(data.sql("SELECT epoch" + of_b) == "3");
}

BOOST_FIXTURE_TEST_CASE(a_repeated_revocation_waits_as_the_first_one, two_nodes)
{
    auto key = add_key(bob);
    data.sql("UPDATE api_keys SET revoked_at = now()"); // a call that never returned
    b.suspend();
    auto took = a.revoke(*this, key);
    BOOST_TEST(took.count() >= (lease_length / 2).count());
    b.resume();
    BOOST_REQUIRE(b.gets_lease());
    b.suspend();
    took = a.revoke_by_digest(key);
    BOOST_TEST(took.count() >= (lease_length / 2).count());
    b.resume();
}

BOOST_FIXTURE_TEST_CASE(an_unreachable_nodes_table_fails_the_change, two_nodes)
{
    auto unknown = boost::uuids::random_generator()();
    data.sql("ALTER TABLE nodes RENAME TO hidden");
    auto wait = [&] { a.run([&]() -> db::awaitable<void> { co_await a.node().wait_for_acks(unknown); }); };
    BOOST_CHECK_THROW(wait(), db::failure);
    BOOST_TEST(support::eventually(20s, [&] { return !a.holds_lease() && !b.holds_lease(); }));
    data.sql("ALTER TABLE hidden RENAME TO nodes");
    BOOST_TEST(a.gets_lease());
    wait();
}

BOOST_AUTO_TEST_SUITE_END()
