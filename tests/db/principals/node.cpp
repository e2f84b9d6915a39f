// Cache coherence of several nodes on one database.
#include "tests/db/principals/node_fixture.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <future>
#include <vector>

using namespace std::chrono_literals;
using db::test::lease_length, db::test::process, db::test::state, db::test::two_nodes;

static const db::statement disable{"test_disable_user", "UPDATE users SET disabled_at = now() WHERE id = $1"};

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

// While it waited, its connection would deliver no notice.
BOOST_FIXTURE_TEST_CASE(a_renewal_does_not_wait_for_the_disk, two_nodes)
{
    data.sql("CREATE TABLE seen (setting text); CREATE FUNCTION record_setting() RETURNS trigger "
             "LANGUAGE plpgsql AS $$ BEGIN INSERT INTO seen VALUES (current_setting('synchronous_commit')); "
             "RETURN NULL; END $$; CREATE TRIGGER record_setting AFTER UPDATE OF renewals ON nodes "
             "FOR EACH ROW EXECUTE FUNCTION record_setting()");
    BOOST_TEST(support::eventually([&] { return data.sql("SELECT count(*) > 3 FROM seen") == "t"; }));
    BOOST_TEST(data.sql("SELECT string_agg(DISTINCT setting, ' ') FROM seen") == "off");
    BOOST_TEST(a.holds_lease());
    BOOST_TEST(b.holds_lease());
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
    data.sql("INSERT INTO nodes (id, epoch, renewals, lease_ms, request) "
             "VALUES (gen_random_uuid(), 1, 1, 1000, 1)");
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
