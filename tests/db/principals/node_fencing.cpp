// Nodes that are fenced, registered late, or not heard of.
#include "tests/db/principals/node_fixture.hpp"

#include <boost/test/unit_test.hpp>
#include <boost/uuid/random_generator.hpp>

#include <cstdint>
#include <future>
#include <optional>
#include <string>
#include <string_view>
#include <thread>

using namespace std::chrono_literals;
using db::test::lease_length, db::test::process, db::test::state, db::test::two_nodes;

BOOST_AUTO_TEST_SUITE(node_fencing)

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
    BOOST_TEST(took.count() >= (1500ms + lease_length / 2).count());
    BOOST_TEST(took.count() <= (1500ms + lease_length + 2s).count());
    BOOST_TEST(data.sql("SELECT fenced FROM nodes WHERE id = '" + deaf + "'") == "t");
}

BOOST_AUTO_TEST_SUITE_END()
