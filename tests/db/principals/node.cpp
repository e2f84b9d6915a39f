// Several nodes on one database: what each remembers when another has changed something.
#include "db/principals/node.hpp"

#include "tests/db/database_fixture.hpp"
#include "tests/support/eventually.hpp"

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/use_future.hpp>
#include <boost/test/unit_test.hpp>

#include <future>
#include <memory>
#include <optional>
#include <thread>

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
    out.patience = 3s;
    return out;
}

/** A server's worth: one core, and the node, all on one thread that can be made to stand still.
    @param elsewhere another database, so that it does not hear itself */
class process {
public:
    explicit process(const support::database& data, const support::database* elsewhere = nullptr)
    {
        std::promise<void> started;
        thread_ = std::thread([&, elsewhere = elsewhere ? elsewhere : &data] {
            db::principals::config trusting;
            trusting.trust = &lease_;
            house::core core(data, changes_, trusting);
            db::pool other(core.io, house::core::reach(*elsewhere), 1);
            std::optional<db::node> self(std::in_place, core.io, other, changes_, lease_,
                                         node_settings(data.conninfo()));
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
        go_on();
        core_->io.stop();
        thread_.join();
    }

    /// Run a coroutine there, and wait for it here.
    template <class Body>
    auto run(Body body)
    {
        return boost::asio::co_spawn(core_->io, std::move(body), boost::asio::use_future).get();
    }

    bool believes() const { return lease_.holds(); }

    bool soon_believes() const
    {
        return support::eventually(5s, [&] { return believes(); });
    }

    state cached(const db::digest& key)
    {
        return run([&]() -> db::awaitable<state> { co_return core_->principals.cached(key).state; });
    }

    void load(const db::digest& key)
    {
        run([&]() -> db::awaitable<void> { co_await core_->principals.load_api_key(key); });
    }

    /// Whether it is remembered, and let be so until it is.
    bool remembers(const db::digest& key)
    {
        load(key);
        return cached(key) == state::hit;
    }

    /// @return how long the revocation took
    std::chrono::milliseconds revoke(const house::fixture& of, const house::key& key)
    {
        auto event = house::event("api_key.revoke");
        event.workspace_id = of.workspace;
        auto begin = std::chrono::steady_clock::now();
        run([&]() -> db::awaitable<void> {
            db::api_keys::reach within{of.workspace, of.bob};
            co_await db::api_keys::revoke(changes_, core_->db, within, key.prefix, event);
        });
        return std::chrono::duration_cast<std::chrono::milliseconds>(std::chrono::steady_clock::now() -
                                                                     begin);
    }

    /// The thread does nothing until go_on(), as a stopped process.
    void stand_still()
    {
        std::promise<void> stands;
        resumed_.emplace();
        boost::asio::post(core_->io, [&stands, wait = resumed_->get_future().share()] {
            stands.set_value();
            wait.wait();
        });
        stands.get_future().get();
    }

    void go_on()
    {
        if (resumed_)
            resumed_->set_value();
        resumed_.reset();
    }

    void leave()
    {
        run([&]() -> db::awaitable<void> { co_await node_->leave(); });
    }

    std::size_t peers()
    {
        return run([&]() -> db::awaitable<std::size_t> { co_return node_->peers(); });
    }

    db::node& node() { return *node_; }
    house::core& core() { return *core_; }
    db::principal_changes& changes() { return changes_; }

private:
    db::lease lease_;
    db::principal_changes changes_;
    house::core* core_ = nullptr;
    db::node* node_ = nullptr;
    std::optional<std::promise<void>> resumed_;
    std::thread thread_;
};

struct two_nodes : house::fixture {
    two_nodes()
    {
        BOOST_REQUIRE(a.soon_believes());
        BOOST_REQUIRE(b.soon_believes());
    }

    std::string rows() { return data.sql("SELECT count(*) FROM nodes"); }

    /// End the connections on which nodes listen.
    void cut_lines()
    {
        data.sql(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND "
            "query ~ 'nodes|latchkey_acknowledgements|acknowledge_changes|close_again|LISTEN' AND pid <> "
            "pg_backend_pid()");
    }

    process a{data}, b{data};
};

} // namespace

BOOST_AUTO_TEST_SUITE(node)

BOOST_FIXTURE_TEST_CASE(a_lease_is_renewed_for_as_long_as_it_is_kept, two_nodes)
{
    BOOST_TEST(rows() == "2");
    for (int i = 0; i < 30; ++i) {
        BOOST_TEST(a.believes());
        BOOST_TEST(b.believes());
        std::this_thread::sleep_for(100ms);
    }
    BOOST_TEST(a.peers() == 1u);
    BOOST_TEST(data.sql("SELECT min(renewals) > 8 AND max(epoch) = 1 FROM nodes") == "t");
    a.leave();
    BOOST_TEST(!a.believes());
    BOOST_TEST(rows() == "1");
    BOOST_TEST(support::eventually(5s, [&] { return b.peers() == 0; }));
}

BOOST_FIXTURE_TEST_CASE(when_a_change_returns_the_other_node_has_forgotten, two_nodes)
{
    std::chrono::milliseconds longest{0};
    for (int i = 0; i < 20; ++i) {
        auto key = add_key(bob);
        BOOST_REQUIRE(b.remembers(key.digest));
        longest = std::max(longest, a.revoke(*this, key));
        BOOST_TEST((b.cached(key.digest) == state::miss));
    }
    BOOST_TEST(longest.count() < lease_length.count() / 2); // it was told, and did not run out
}

BOOST_FIXTURE_TEST_CASE(only_what_is_concerned_is_forgotten, two_nodes)
{
    auto key = add_key(bob), other = add_key(bob);
    BOOST_REQUIRE(b.remembers(key.digest));
    BOOST_REQUIRE(b.remembers(other.digest));
    a.revoke(*this, key);
    BOOST_TEST((b.cached(other.digest) == state::hit));
}

BOOST_FIXTURE_TEST_CASE(whoever_changes_the_tables_the_nodes_are_told, two_nodes)
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
        BOOST_REQUIRE(a.remembers(key.digest));
        BOOST_REQUIRE(b.remembers(key.digest));
        data.sql(change);
        BOOST_TEST(support::eventually(2s, [&] { return a.cached(key.digest) == state::miss; }), change);
        BOOST_TEST(support::eventually(2s, [&] { return b.cached(key.digest) == state::miss; }), change);
    }
    auto key = add_key(bob);
    BOOST_REQUIRE(b.remembers(key.digest));
    data.sql(
        "UPDATE users SET name = 'Bob'; UPDATE workspaces SET name = 'x'; UPDATE api_keys SET last_used_at = "
        "now(), name = 'x'; UPDATE users SET email_verified_at = now()");
    std::this_thread::sleep_for(200ms);
    BOOST_TEST((b.cached(key.digest) == state::hit)); // none of it says what anybody may do
    data.sql("DELETE FROM api_keys");
    BOOST_TEST(support::eventually(2s, [&] { return b.cached(key.digest) == state::miss; }));
}

BOOST_FIXTURE_TEST_CASE(the_tests_own_guard_refuses_a_change_that_nobody_waits_for, two_nodes)
{
    auto change = [&] { a.run([&]() -> db::awaitable<void> { co_await a.core().db.run(disable, bob); }); };
    BOOST_CHECK_EXCEPTION(change(), db::failure, [](const db::failure& why) {
        return std::string(why.what()).find("nobody waits for") != std::string::npos;
    });
}

BOOST_FIXTURE_TEST_CASE(for_a_node_that_stands_still_a_change_waits_until_it_cannot_believe, two_nodes)
{
    auto key = add_key(bob), again = add_key(bob);
    BOOST_REQUIRE(b.remembers(key.digest));
    BOOST_REQUIRE(b.remembers(again.digest));
    b.stand_still();
    auto took = a.revoke(*this, key);
    BOOST_TEST(took.count() >= (lease_length / 2).count());
    BOOST_TEST(took.count() <= (lease_length + 1s).count());
    BOOST_TEST(!b.believes());
    BOOST_TEST(a.revoke(*this, again).count() < (lease_length / 2).count()); // known to be dead by now

    b.go_on(); // it wakes up, and does not believe itself
    BOOST_TEST((b.cached(key.digest) == state::miss));
    BOOST_TEST((b.cached(again.digest) == state::miss));
    BOOST_TEST(b.soon_believes());
    BOOST_TEST((b.cached(key.digest) == state::miss));
}

BOOST_FIXTURE_TEST_CASE(a_node_that_lost_its_line_forgets_and_begins_anew, two_nodes)
{
    auto key = add_key(bob), other = add_key(bob);
    BOOST_REQUIRE(b.remembers(key.digest));
    BOOST_REQUIRE(b.remembers(other.digest));
    cut_lines();
    a.revoke(*this, key);
    BOOST_TEST((b.cached(key.digest) == state::miss));
    BOOST_TEST(support::eventually(5s, [&] { return data.sql("SELECT min(epoch) > 1 FROM nodes") == "t"; }));
    BOOST_TEST(a.soon_believes());
    BOOST_TEST(b.soon_believes());
    BOOST_TEST((b.cached(other.digest) == state::miss)); // a change may have been missed
    auto next = add_key(bob);
    BOOST_REQUIRE(b.remembers(next.digest));
    BOOST_TEST(a.revoke(*this, next).count() < (lease_length * 3).count());
    BOOST_TEST((b.cached(next.digest) == state::miss));
}

BOOST_FIXTURE_TEST_CASE(for_who_has_left_or_died_long_ago_nobody_waits, two_nodes)
{
    data.sql("INSERT INTO nodes (id, epoch, renewals, lease_ms) VALUES (gen_random_uuid(), 1, 1, 1000)");
    BOOST_TEST(support::eventually(5s, [&] { return a.peers() == 2; }));
    BOOST_TEST(support::eventually(5s, [&] { return a.peers() == 1; }));
    b.leave();
    auto key = add_key(bob);
    a.load(key.digest);
    BOOST_TEST(a.revoke(*this, key).count() < (lease_length / 2).count());
}

BOOST_FIXTURE_TEST_CASE(who_cannot_hear_has_no_lease_and_takes_those_of_others, two_nodes)
{
    support::database another;
    process deaf(data, &another);
    auto key = add_key(bob);
    BOOST_REQUIRE(a.remembers(key.digest));
    auto took = deaf.revoke(*this, key);
    BOOST_TEST(!deaf.believes());
    BOOST_TEST(took.count() <= (lease_length + 3s).count());
    BOOST_TEST((a.cached(key.digest) == state::miss));
    BOOST_TEST((b.cached(key.digest) == state::miss));
    BOOST_TEST(a.soon_believes()); // a new one
    BOOST_TEST(data.sql("SELECT max(epoch) > 1 FROM nodes") == "t");
    auto mine = add_key(bob);
    deaf.load(mine.digest);
    BOOST_TEST((deaf.cached(mine.digest) == state::miss)); // it asks each time
}

BOOST_FIXTURE_TEST_CASE(a_repeated_revocation_waits_as_the_first_did, two_nodes)
{
    auto key = add_key(bob);
    data.sql("UPDATE api_keys SET revoked_at = now()"); // somebody's call that never returned
    b.stand_still();
    auto took = a.revoke(*this, key);
    BOOST_TEST(took.count() >= (lease_length / 2).count());
    b.go_on();
}

BOOST_FIXTURE_TEST_CASE(while_the_database_is_silent_a_change_does_not_pretend, two_nodes)
{
    auto unknown = boost::uuids::random_generator()();
    data.sql("ALTER TABLE nodes RENAME TO hidden");
    auto settle = [&] { a.run([&]() -> db::awaitable<void> { co_await a.node().settle(unknown); }); };
    BOOST_CHECK_THROW(settle(), db::failure);
    BOOST_TEST(support::eventually(5s, [&] { return !a.believes() && !b.believes(); }));
    data.sql("ALTER TABLE hidden RENAME TO nodes");
    BOOST_TEST(a.soon_believes());
    settle();
}

BOOST_AUTO_TEST_SUITE_END()
