// Every change takes its row locks in the lock order (db/migrations/README.md), so that no two can deadlock.
#include "tests/e2e/isolation/lock_order_fixture.hpp"
#include "tests/support/eventually.hpp"
#include "tests/support/thorough.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <atomic>
#include <barrier>
#include <thread>

using namespace e2e;
using namespace e2e::authorization_matrix;

namespace {

bool is_change(const row& line)
{
    return line.method != verb::get && !line.is_safe && line.success < 300;
}

std::string describe(const locked_row& row)
{
    return row.table + " " + row.id;
}

/// While a request waits for a row of the lock order, it holds no later one.
struct hierarchy_fixture : lock_fixture {
    /// The rows that a request locks, before the first one that it should have locked earlier.
    void check(const scenario& one, const std::vector<locked_row>& rows, const std::string& name)
    {
        roll_everything_back(true);
        for (auto& each : rows)
            check_row(one, each, name);
        roll_everything_back(false);
    }

    int waits = 0;

private:
    void check_row(const scenario& one, const locked_row& contended, const std::string& name)
    {
        lock_row(contended);
        std::atomic<bool> done = false;
        std::thread request([&] {
            support::http_client from(server.port());
            from.skip_recording();
            one.send(from);
            done = true;
        });
        support::eventually([&] { return done || is_waiting(); });
        if (!done) {
            ++waits;
            BOOST_TEST(held_too_early(contended) == "", name << " waits for " << describe(contended));
        }
        release_row();
        request.join();
    }

    /// Looked at again where there is one: background writes lock rows for a moment.
    std::string held_too_early(const locked_row& contended)
    {
        std::string out;
        for (int attempt = 0; attempt < 10; ++attempt) {
            out.clear();
            for (auto& held : locked_rows())
                if (held.rank > contended.rank || (held.table == contended.table && held.id > contended.id))
                    out += "holds " + describe(held) + "; ";
            if (out.empty())
                break;
            std::this_thread::sleep_for(std::chrono::milliseconds(2));
        }
        return out;
    }
};

/// Two admins of one workspace, with calls that are about each other.
struct pairs_fixture : lock_fixture {
    pairs_fixture()
    {
        scenario first(*this, matrix[0], caller::admin, credential::session);
        ada = first.everyone();
        bob = ada;
        bob.email = next_email();
        bob.user =
            sql.run("INSERT INTO users (id, email, email_normalized, password_hash, email_verified_at) "
                    "SELECT gen_random_uuid(), '" +
                    bob.email + "', '" + bob.email +
                    "', password_hash, now() FROM users WHERE email = 'first@example.com' RETURNING id");
        sql.run("INSERT INTO memberships (workspace_id, user_id, role) VALUES ('" + bob.workspace + "', '" +
                bob.user + "', 'admin')");
        ada.target = bob.user;
        bob.target = ada.user;
        entangle(ada);
        entangle(bob);
    }

    /// Each changing call of the matrix, by one of the two.
    std::vector<scenario> calls_of(const participants& who)
    {
        std::vector<scenario> out;
        for (auto& line : matrix) {
            if (!is_change(line))
                continue;
            auto as = line.acts_on == subject::open        ? caller::anonymous
                      : line.acts_on == subject::ownership ? caller::owner
                                                           : caller::admin;
            auto them = who;
            if (as == caller::owner) {
                them.user = who.owner;
                them.email = who.owner_email;
            }
            for (auto with : {credential::session, credential::full_key})
                if (expected_status(line, as, with) < 300 &&
                    (with == credential::session || line.acts_on == subject::keys))
                    out.emplace_back(*this, line, as, with, them);
        }
        return out;
    }

    participants ada, bob;
};

/// Every call and every pair of calls takes minutes; in a run that is not thorough, each seventh is executed.
/// A prime, so that the pairs have every call among their first ones.
unsigned stride()
{
    return support::is_thorough() ? 1 : 7;
}

} // namespace

BOOST_AUTO_TEST_SUITE(lock_hierarchy)

BOOST_FIXTURE_TEST_CASE(every_change_locks_rows_in_the_lock_order, hierarchy_fixture)
{
    unsigned seen = 0;
    for (auto& line : matrix) {
        if (!is_change(line))
            continue;
        for (auto who : {caller::anonymous, caller::owner, caller::admin})
            for (auto with : {credential::session, credential::full_key, credential::workspace_key}) {
                bool is_covered =
                    with == credential::session ||
                    (who == caller::admin && (with == credential::full_key || line.acts_on == subject::keys));
                bool exists = is_covered && (line.acts_on == subject::open) == (who == caller::anonymous) &&
                              (who != caller::anonymous || with == credential::session) &&
                              expected_status(line, who, with) < 300;
                if (!exists || seen++ % stride() != 0)
                    continue;
                auto before = all_rows();
                scenario one(*this, line, who, with);
                entangle(one.everyone());
                std::vector<locked_row> rows;
                auto after = all_rows();
                std::ranges::sort(before);
                std::ranges::sort(after);
                std::ranges::set_difference(after, before, std::back_inserter(rows));
                BOOST_TEST_REQUIRE(rows.size() > 10u);
                check(one, rows, name_of(line));
            }
    }
    // Fewer: the requests lock other rows than those of their scenarios.
    BOOST_TEST(waits > 200 / static_cast<int>(stride()));
    server.stop();
    BOOST_TEST(count_deadlocks() == "0");
}

BOOST_FIXTURE_TEST_CASE(no_pair_of_changes_deadlocks, pairs_fixture)
{
    auto first = calls_of(ada), second = calls_of(bob);
    BOOST_TEST_REQUIRE(first.size() > 40u);
    BOOST_TEST_REQUIRE((stride() == 1 || first.size() % stride() != 0));
    roll_everything_back(true);
    std::barrier together(2);
    auto run = [&](const std::vector<scenario>& calls, auto&& index) {
        support::http_client from(server.port());
        from.skip_recording();
        for (std::size_t pair = 0; pair < first.size() * second.size(); pair += stride()) {
            together.arrive_and_wait();
            calls[index(pair)].send(from);
        }
    };
    std::thread other([&] { run(second, [&](std::size_t pair) { return pair / first.size(); }); });
    run(first, [&](std::size_t pair) { return pair % first.size(); });
    other.join();
    server.stop();
    BOOST_TEST(count_deadlocks() == "0");
}

BOOST_AUTO_TEST_SUITE_END()
