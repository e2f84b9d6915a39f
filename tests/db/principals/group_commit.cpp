// Group commit against PostgreSQL: what fails, waits or ends early concerns the member alone.
#include "tests/db/principals/node_fixture.hpp"
#include "tests/support/transaction.hpp"

#include <boost/asio/bind_cancellation_slot.hpp>
#include <boost/asio/cancellation_signal.hpp>
#include <boost/test/unit_test.hpp>

#include <functional>
#include <string>
#include <vector>

using namespace std::chrono_literals;
using db::test::state;

namespace {

const db::statement rename_all{"test_group_rename", "UPDATE api_keys SET name = $1"};
const db::statement where_am_i{
    "test_group_where",
    "SELECT current_user || ' ' || coalesce(current_setting('latchkey.workspace', true), '')"};
const db::statement divide{"test_group_divide", "SELECT 1 / $1::int"};
const db::statement nap{"test_group_nap", "SELECT pg_sleep($1::float8)"};
const db::statement end_by_id{"test_group_end", "UPDATE sessions SET revoked_at = now() WHERE id = $1"};

/// A transaction in progress, and its end.
struct outcome {
    std::string text;
    bool has_ended = false;
};

struct group_fixture : db::test::database_fixture {
    db::invalidation_bus::config settings()
    {
        db::invalidation_bus::config out;
        out.patience = 50ms;
        return out;
    }

    group_fixture()
    {
        run_until([&] { return core.db.connections() == 2; }); // one waits for a lock while the other goes on
    }

    /// Begin a transaction on the core. Those that begin without a turn between them are a group.
    std::shared_ptr<outcome> begin(std::function<db::awaitable<std::string>()> body,
                                   boost::asio::cancellation_slot cancelled_by = {})
    {
        auto out = std::make_shared<outcome>();
        auto start = [](std::function<db::awaitable<std::string>()> body,
                        std::shared_ptr<outcome> out) -> db::awaitable<void> {
            try {
                out->text = co_await body();
            } catch (const db::failure& why) {
                out->text = why.sqlstate().empty() ? why.what() : std::string(why.sqlstate());
            }
            out->has_ended = true;
        };
        boost::asio::co_spawn(core.io, start(std::move(body), out),
                              boost::asio::bind_cancellation_slot(cancelled_by, [](std::exception_ptr) {}));
        return out;
    }

    std::shared_ptr<outcome> revoke(const std::string& prefix, std::optional<db::uuid> owner = {},
                                    std::optional<db::uuid> within = {},
                                    boost::asio::cancellation_slot cancelled_by = {})
    {
        db::api_keys::owner_filter filter{within.value_or(workspace), owner};
        auto event = db::test::event("api_key.revoke");
        event.workspace_id = filter.workspace_id;
        auto body = [this, filter, prefix, event]() -> db::awaitable<std::string> {
            db::transaction work(bus, core.db);
            auto found = co_await db::api_keys::revoke(std::move(work), filter, prefix, event);
            co_return found ? "revoked" : "unknown";
        };
        return begin(body, cancelled_by);
    }

    std::shared_ptr<outcome> end_session(const db::uuid& id, const db::uuid& of)
    {
        auto event = db::test::event("session.end");
        event.workspace_id = workspace;
        return begin([this, id, of, event]() -> db::awaitable<std::string> {
            db::transaction work(bus, core.db);
            auto found = co_await db::sessions::revoke(std::move(work), id, of, event);
            co_return found ? "ended" : "unknown";
        });
    }

    std::shared_ptr<outcome> commit(db::batch work, db::locked_rows rows = {})
    {
        return begin([this, work, rows]() -> db::awaitable<std::string> {
            db::invalidation affected;
            affected.users.push_back(bob);
            db::transaction tx(bus, core.db, work);
            auto answers = co_await tx.commit_in_group(rows, affected);
            co_return answers.first().size() == 1 ? answers.first().as_one<std::string>() : "done";
        });
    }

    template <class Condition>
    bool run_until(Condition holds)
    {
        auto deadline = std::chrono::steady_clock::now() + support::default_deadline;
        core.io.restart();
        while (!holds() && std::chrono::steady_clock::now() < deadline)
            core.io.run_one_for(20ms);
        return holds();
    }

    bool finish(const std::vector<std::shared_ptr<outcome>>& all)
    {
        return run_until([&] { return std::ranges::all_of(all, &outcome::has_ended); });
    }

    std::string count(const std::string& what) { return data.sql("SELECT count(*) FROM " + what); }

    /// How many transactions have written the audit events.
    std::string transactions() { return data.sql("SELECT count(DISTINCT xmin::text) FROM audit"); }

    db::invalidation_bus bus{settings()};
    db::test::core core{data, bus};
};

} // namespace

BOOST_FIXTURE_TEST_SUITE(group_commit, group_fixture)

BOOST_AUTO_TEST_CASE(members_of_one_transaction_get_their_own_outcomes)
{
    auto eve = add_user("eve@example.org");
    auto other = add_workspace("Leaks", eve);
    auto one_key = add_key(bob), two_key = add_key(ada), kept = add_key(ada), leaked = add_key(bob);
    auto session = add_session(bob);
    support::run(core.io, [&] { return core.principals.load_api_key(one_key.digest); });
    auto first = revoke(one_key.prefix), second = revoke(two_key.prefix, ada),
         foreign = revoke(kept.prefix, {}, other), of_other_user = revoke(kept.prefix, bob),
         missing = revoke("nokey123"), repeated = revoke(one_key.prefix), ended = end_session(session, bob),
         unknown = end_session(session, ada);
    auto by_digest = begin([&]() -> db::awaitable<std::string> {
        db::transaction work(bus, core.db);
        auto found = co_await db::api_keys::revoke_by_digest(std::move(work), leaked.digest,
                                                             db::test::event("api_key.report"), std::nullopt);
        co_return found ? "revoked" : "unknown";
    });
    BOOST_TEST(finish({first, second, foreign, of_other_user, missing, repeated, ended, unknown, by_digest}));
    BOOST_TEST(first->text == "revoked");
    BOOST_TEST(second->text == "revoked");
    BOOST_TEST(foreign->text == "unknown");
    BOOST_TEST(of_other_user->text == "unknown");
    BOOST_TEST(missing->text == "unknown");
    BOOST_TEST(repeated->text == "revoked");
    BOOST_TEST(ended->text == "ended");
    BOOST_TEST(unknown->text == "unknown");
    BOOST_TEST(by_digest->text == "revoked");
    BOOST_TEST(count("api_keys WHERE revoked_at IS NOT NULL") == "3");
    BOOST_TEST(count("api_keys WHERE revoked_at IS NULL AND id = '" + to_string(kept.id) + "'") == "1");
    BOOST_TEST(count("sessions WHERE revoked_at IS NOT NULL") == "1");
    BOOST_TEST(count("audit") == "4"); // one for each revocation, none for the others
    BOOST_TEST(transactions() == "1");
    BOOST_TEST((core.principals.cached(one_key.digest).state == state::miss));
}

BOOST_AUTO_TEST_CASE(a_group_is_what_arrives_while_another_is_committed)
{
    std::vector<std::shared_ptr<outcome>> all;
    std::vector<db::test::key> keys;
    for (int i = 0; i < 12; ++i)
        keys.push_back(add_key(bob));
    all.push_back(revoke(keys[0].prefix));
    core.io.poll(); // sent
    for (std::size_t i = 1; i < keys.size(); ++i)
        all.push_back(revoke(keys[i].prefix));
    BOOST_TEST(finish(all));
    BOOST_TEST(count("audit") == "12");
    BOOST_TEST(transactions() == "2");
}

BOOST_AUTO_TEST_CASE(no_member_acts_in_the_workspace_of_another)
{
    auto eve = add_user("eve@example.org");
    auto other = add_workspace("Leaks", eve);
    auto mine = add_key(bob);
    data.sql("INSERT INTO api_keys (id, prefix, digest, name, scopes, workspace_id, role) VALUES "
             "(gen_random_uuid(), 'foreign1', sha256('x'), 'ci', '{*}', '" +
             to_string(other) + "', 'admin')");
    db::batch in_mine, in_other, in_none;
    in_mine.in_workspace(workspace).add(where_am_i).add(rename_all, "mine");
    in_other.in_workspace(other).add(where_am_i).add(rename_all, "other");
    in_none.add(where_am_i);
    auto a = commit(in_mine, {.workspace = workspace}), b = commit(in_other, {.workspace = other}),
         c = commit(in_none), d = commit(in_mine, {.workspace = workspace});
    BOOST_TEST(finish({a, b, c, d}));
    auto hex = [](const db::uuid& id) {
        auto out = to_string(id);
        std::erase(out, '-');
        return out;
    };
    BOOST_TEST(a->text == "latchkey_workspace " + hex(workspace));
    BOOST_TEST(b->text == "latchkey_workspace " + hex(other));
    BOOST_TEST(c->text == "latchkey ");
    BOOST_TEST(d->text == a->text);
    BOOST_TEST(data.sql("SELECT string_agg(name, ' ' ORDER BY name) FROM api_keys") == "mine other");
    BOOST_TEST(data.sql("SELECT count(DISTINCT xmin::text) FROM api_keys") == "1");
    BOOST_TEST(data.sql("SELECT name FROM api_keys WHERE id = '" + to_string(mine.id) + "'") == "mine");
}

BOOST_AUTO_TEST_CASE(a_member_that_fails_does_not_fail_the_others)
{
    auto key = add_key(bob), other = add_key(bob);
    db::batch failing;
    failing.add(divide, 0);
    auto a = revoke(key.prefix), b = commit(failing), c = revoke(other.prefix), d = revoke("nokey123");
    BOOST_TEST(finish({a, b, c, d}));
    BOOST_TEST(a->text == "revoked");
    BOOST_TEST(b->text == "22012");
    BOOST_TEST(c->text == "revoked");
    BOOST_TEST(d->text == "unknown");
    BOOST_TEST(count("audit") == "2");
    BOOST_TEST(transactions() == "2"); // each by itself
}

BOOST_AUTO_TEST_CASE(a_group_that_another_transaction_rolls_back_is_repeated)
{
    data.sql("CREATE SEQUENCE failures; CREATE FUNCTION fail_first() RETURNS trigger LANGUAGE plpgsql AS "
             "$$ BEGIN IF nextval('failures') <= 1 THEN RAISE EXCEPTION 'forced' USING ERRCODE = '40P01'; "
             "END IF; RETURN NEW; END $$; GRANT USAGE ON SEQUENCE failures TO latchkey_workspace; "
             "CREATE TRIGGER fail_first BEFORE INSERT ON audit FOR EACH ROW EXECUTE FUNCTION fail_first()");
    auto key = add_key(bob), other = add_key(bob);
    auto a = revoke(key.prefix), b = revoke(other.prefix);
    BOOST_TEST(finish({a, b}));
    BOOST_TEST(a->text == "revoked");
    BOOST_TEST(b->text == "revoked");
    BOOST_TEST(core.db.retries() == 1u);
    BOOST_TEST(count("audit") == "2");
    BOOST_TEST(transactions() == "1");
}

BOOST_AUTO_TEST_CASE(a_member_waits_for_a_locked_row_alone)
{
    auto locked = add_key(bob), free = add_key(bob);
    support::transaction holder(data.conninfo());
    holder.sql("SELECT id FROM api_keys WHERE id = '" + to_string(locked.id) + "' FOR UPDATE");
    auto a = revoke(locked.prefix), b = revoke(free.prefix);
    BOOST_TEST(finish({b}));
    BOOST_TEST(b->text == "revoked");
    BOOST_TEST(!a->has_ended);
    holder.commit();
    BOOST_TEST(finish({a}));
    BOOST_TEST(a->text == "revoked");
    BOOST_TEST(core.db.retries() == 0u);
}

BOOST_AUTO_TEST_CASE(a_slow_group_does_not_hold_up_the_next)
{
    auto key = add_key(bob);
    db::batch slow;
    slow.add(nap, 2);
    auto a = commit(slow);
    core.io.poll();
    auto b = revoke(key.prefix);
    BOOST_TEST(finish({b}));
    BOOST_TEST(b->text == "revoked");
    BOOST_TEST(!a->has_ended);
    BOOST_TEST(finish({a}));
}

BOOST_AUTO_TEST_CASE(a_caller_that_ends_early_changes_nothing_for_the_others_and_for_its_row)
{
    auto key = add_key(bob), other = add_key(bob), third = add_key(bob);
    auto a = revoke(key.prefix); // in the database
    core.io.poll();
    boost::asio::cancellation_signal cancel;
    auto b = revoke(other.prefix, {}, {}, cancel.slot()); // waits for its group
    core.io.poll();
    bool was_waiting = !b->has_ended; // nearly always
    cancel.emit(boost::asio::cancellation_type::terminal);
    auto c = revoke(third.prefix);
    BOOST_TEST(finish({a, c}));
    BOOST_TEST(a->text == "revoked");
    BOOST_TEST(c->text == "revoked");
    BOOST_TEST(b->has_ended == !was_waiting);
    BOOST_TEST(count("api_keys WHERE revoked_at IS NOT NULL") == "3");
    BOOST_TEST(count("audit") == "3");
}

BOOST_AUTO_TEST_CASE(a_core_that_stops_leaks_nothing)
{
    auto key = add_key(bob);
    db::test::core stopping(data, bus);
    auto event = db::test::event("x");
    event.workspace_id = workspace;
    db::transaction work(bus, stopping.db);
    db::api_keys::owner_filter filter{workspace, bob};
    boost::asio::co_spawn(stopping.io, db::api_keys::revoke(std::move(work), filter, key.prefix, event),
                          [](std::exception_ptr, std::optional<db::api_keys::revoked_key>) {});
    stopping.io.poll();
}

namespace {

struct group_of_two_nodes : db::test::two_nodes {
    using revocation = std::future<std::optional<db::api_keys::revoked_key>>;

    /// On node a, in one turn of its reactor.
    std::vector<revocation> revoke(const std::vector<db::test::key>& keys)
    {
        std::vector<revocation> out;
        auto event = db::test::event("api_key.revoke");
        event.workspace_id = workspace;
        a.run([&]() -> db::awaitable<void> {
            for (auto& key : keys) {
                event.id = db::test::new_id();
                db::transaction work(a.changes(), a.core().db);
                auto begun = db::api_keys::revoke(std::move(work), {workspace, bob}, key.prefix, event);
                out.push_back(boost::asio::co_spawn(a.core().io, std::move(begun), boost::asio::use_future));
            }
            co_return;
        });
        return out;
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(no_member_returns_before_the_other_node_has_evicted, group_of_two_nodes)
{
    std::vector<db::test::key> keys;
    for (int i = 0; i < 20; ++i)
        keys.push_back(add_key(bob));
    for (auto& key : keys)
        BOOST_REQUIRE(b.caches(key.digest));
    for (auto round : {"first", "repeated"}) { // a repeated revocation changes nothing, and waits as well
        BOOST_REQUIRE(b.gets_lease());
        b.suspend();
        auto all = revoke(keys);
        BOOST_TEST((all.front().wait_for(db::test::lease_length / 4) == std::future_status::timeout), round);
        for (auto& each : all)
            BOOST_TEST((each.wait_for(0s) == std::future_status::timeout), round);
        b.resume();
        for (auto& each : all)
            BOOST_TEST(each.get().has_value());
        for (auto& key : keys)
            BOOST_TEST((b.cached(key.digest) == state::miss));
    }
    BOOST_TEST(data.sql("SELECT count(*) || ' ' || count(DISTINCT xmin::text) FROM audit") == "20 1");
}

BOOST_AUTO_TEST_SUITE_END()
