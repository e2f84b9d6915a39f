#include "tests/db/database_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <thread>

BOOST_AUTO_TEST_SUITE(principals)

using db::principals;
using house::in;
using house::new_digest;
using house::new_id;
using state = db::principals::state;

namespace {

/// Holds a lock that every look-up of a key waits for, until destroyed.
class key_lock {
public:
    explicit key_lock(const support::database& data) : pg_(PQconnectdb(data.conninfo().c_str())), data_(data)
    {
        PQclear(PQexec(pg_, "BEGIN; LOCK TABLE api_keys, sessions IN ACCESS EXCLUSIVE MODE"));
    }
    ~key_lock() { PQfinish(pg_); }

    /// Run a statement in the transaction that holds the lock.
    void sql(const std::string& statement) { PQclear(PQexec(pg_, statement.c_str())); }
    void commit() { sql("COMMIT"); }

    /// Until so many backends wait for the lock.
    void await_waiters(house::core& on, int count)
    {
        for (int i = 0; i < 1000; ++i) {
            on.io.run_for(std::chrono::milliseconds(10));
            if (std::stoi(data_.sql("SELECT count(*) FROM pg_locks WHERE NOT granted")) >= count)
                return;
        }
        throw std::runtime_error("nobody asked");
    }

private:
    PGconn* pg_;
    const support::database& data_;
};

struct knowing : house::fixture {
    db::principal_ref load(const db::digest& key)
    {
        return run([&] { return one.principals.load_api_key(key); });
    }

    state remembered(const db::digest& key) { return one.principals.cached(key).state; }

    /// Start a look-up that sets `into` when it comes back.
    void begin(const db::digest& key, std::optional<db::principal_ref>& into)
    {
        auto ask = [](db::principals& whom, db::digest which,
                      std::optional<db::principal_ref>& to) -> db::awaitable<void> {
            to = co_await whom.load_api_key(which);
        };
        boost::asio::co_spawn(one.io, ask(one.principals, key, into), boost::asio::detached);
    }

    template <class Done>
    void run_until(Done done)
    {
        one.io.restart();
        while (!done())
            one.io.run_one();
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_key_is_its_owner_in_the_present_role, knowing)
{
    auto key = add_key(bob, in(std::chrono::hours(1)));
    BOOST_TEST((remembered(key.digest) == state::miss));
    auto who = load(key.digest);
    BOOST_REQUIRE(who);
    BOOST_TEST((who->kind == db::principal::kind_type::api_key));
    BOOST_TEST((who->credential_id == key.id));
    BOOST_TEST((who->user_id == bob));
    BOOST_TEST((who->workspace_id == workspace));
    BOOST_TEST((who->role == db::role::member));
    BOOST_TEST(!who->is_owner);
    BOOST_TEST(who->members_can_mint);
    BOOST_TEST(!who->email_verified);
    BOOST_TEST(key.prefix == who->prefix.c_str());
    BOOST_TEST(who->scopes.names().at(0) == "content:read");
    BOOST_TEST(!who->expired(in(std::chrono::seconds(0))));
    BOOST_TEST((one.principals.cached(key.digest).who == who));

    auto hers = load(add_key(ada).digest);
    BOOST_TEST(hers->is_owner);
    BOOST_TEST((hers->role == db::role::admin));
}

BOOST_FIXTURE_TEST_CASE(a_key_without_its_membership_has_no_role, knowing)
{
    auto key = add_key(bob);
    data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "'");
    BOOST_TEST(!load(key.digest)->role);
}

BOOST_FIXTURE_TEST_CASE(the_unknown_and_the_revoked_are_absent_the_expired_are_told, knowing)
{
    auto nobody = new_digest();
    BOOST_TEST(!load(nobody));
    BOOST_TEST((remembered(nobody) == state::absent));

    auto revoked = add_key(bob);
    data.sql("UPDATE api_keys SET revoked_at = now()");
    BOOST_TEST(!load(revoked.digest));
    BOOST_TEST((remembered(revoked.digest) == state::absent));

    auto expired = add_key(bob, in(std::chrono::seconds(-1)));
    BOOST_TEST(load(expired.digest)->expired(in(std::chrono::seconds(0))));
    BOOST_TEST((remembered(expired.digest) == state::hit));
}

BOOST_FIXTURE_TEST_CASE(a_token_is_its_session, knowing)
{
    auto session = add_session(ada, std::chrono::hours(5));
    auto token = new_digest();
    auto ends = in(std::chrono::hours(1));
    auto who = run([&] { return one.principals.load_session(token, session, workspace, ends); });
    BOOST_REQUIRE(who);
    BOOST_TEST((who->kind == db::principal::kind_type::session));
    BOOST_TEST((who->expires_at == ends));
    BOOST_TEST((who->role == db::role::admin));
    BOOST_TEST(who->is_owner);
    BOOST_TEST((remembered(token) == state::hit));

    auto later = in(std::chrono::hours(9));
    auto nowhere =
        run([&] { return one.principals.load_session(new_digest(), session, std::nullopt, later); });
    BOOST_TEST(!nowhere->role);
    BOOST_TEST(!nowhere->members_can_mint);
    BOOST_TEST((nowhere->expires_at.value() < later));

    auto foreign = add_workspace("His", bob);
    auto stranger = run([&] { return one.principals.load_session(new_digest(), session, foreign, ends); });
    BOOST_TEST(!stranger->role);

    data.sql("UPDATE sessions SET revoked_at = now()");
    auto late = new_digest();
    BOOST_TEST(!run([&] { return one.principals.load_session(late, session, workspace, ends); }));
    BOOST_TEST((remembered(late) == state::absent));
}

BOOST_FIXTURE_TEST_CASE(look_ups_that_come_together_travel_together, knowing)
{
    auto statements = [&] {
        return std::stol(
            data.sql("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"));
    };
    std::vector<house::key> keys;
    for (int i = 0; i < 100; ++i)
        keys.push_back(add_key(bob));
    load(keys[0].digest);
    run([&] { return one.lookups.close(); }); // what they did is counted at their end
    auto before = statements();

    house::core two(data, changes);
    int waiting = 0, right = 0;
    auto ask = [&](house::key key) -> db::awaitable<void> {
        auto who = co_await two.principals.load_api_key(key.digest);
        right += who && who->credential_id == key.id;
        --waiting;
    };
    support::run(two.io, [&] { return two.lookups.ready(); });
    for (int round = 0; round < 3; ++round)
        for (const auto& key : keys) {
            ++waiting;
            boost::asio::co_spawn(two.io, ask(key), boost::asio::detached);
        }
    while (waiting > 0)
        two.io.run_one();
    BOOST_TEST(right == 300);
    support::run(two.io, [&] { return two.lookups.close(); });
    BOOST_TEST(statements() - before < 15); // two for the keys, some for connecting
}

BOOST_FIXTURE_TEST_CASE(an_answer_that_was_overtaken_by_an_eviction_is_not_kept, knowing)
{
    auto key = add_key(bob);
    support::run(one.io, [&] { return one.lookups.ready(); });
    key_lock lock(data);
    std::optional<db::principal_ref> first, second;
    begin(key.digest, first);
    lock.await_waiters(one, 1);

    db::change what;
    what.credentials.push_back(key.id);
    one.principals.evict(what);
    begin(key.digest, second); // must ask for itself
    lock.await_waiters(one, 2);

    lock.sql("UPDATE api_keys SET revoked_at = now()");
    lock.commit();
    run_until([&] { return first && second; });
    BOOST_TEST(!*second);
    BOOST_TEST((remembered(key.digest) == state::absent));
}

BOOST_FIXTURE_TEST_CASE(who_comes_after_an_eviction_never_gets_the_answer_of_before, knowing)
{
    auto key = add_key(bob);
    support::run(one.io, [&] { return one.lookups.ready(); });
    std::optional<db::principal_ref> first, second;
    {
        // The answer is there, and held back by not letting the core run.
        auto since = data.sql("SELECT clock_timestamp()"); // for there were look-ups before
        begin(key.digest, first);
        one.io.restart();
        while (std::stoi(data.sql("SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%k.digest = ANY%' "
                                  "AND state = 'idle' AND pid <> pg_backend_pid() AND query_start > '" +
                                  since + "'")) == 0)
            one.io.poll_one();
    }
    BOOST_TEST(!first);
    data.sql("UPDATE api_keys SET revoked_at = now()");
    db::change what;
    what.users.push_back(bob);
    one.principals.evict(what);
    begin(key.digest, second);
    run_until([&] { return first && second; });
    BOOST_TEST((*first)->credential_id == key.id); // it began before the eviction: both orders are right
    BOOST_TEST(!*second);
    BOOST_TEST((remembered(key.digest) == state::absent));
}

BOOST_FIXTURE_TEST_CASE(each_subject_is_forgotten, knowing)
{
    auto key = add_key(bob), hers = add_key(ada);
    auto evicts = [&](auto member, const auto& subject) {
        load(key.digest);
        load(hers.digest);
        db::change what;
        (what.*member).push_back(subject);
        one.principals.evict(what);
        return remembered(key.digest) == state::miss;
    };
    BOOST_TEST(evicts(&db::change::credentials, key.id));
    BOOST_TEST((remembered(hers.digest) == state::hit));
    BOOST_TEST(evicts(&db::change::users, bob));
    BOOST_TEST((remembered(hers.digest) == state::hit));
    BOOST_TEST(evicts(&db::change::digests, key.digest));
    BOOST_TEST((remembered(hers.digest) == state::hit));
    BOOST_TEST(evicts(&db::change::workspaces, workspace));
    BOOST_TEST((remembered(hers.digest) == state::miss));

    auto unborn = new_digest();
    load(unborn);
    BOOST_TEST(evicts(&db::change::digests, unborn) == false);
    BOOST_TEST((remembered(unborn) == state::miss));
}

BOOST_FIXTURE_TEST_CASE(what_has_grown_old_is_asked_for_again, house::fixture)
{
    db::principals::config settings;
    settings.max_age = std::chrono::seconds(1);
    house::core two(data, changes, settings);
    auto key = add_key(bob);
    auto nobody = new_digest();
    support::run(two.io, [&] { return two.principals.load_api_key(key.digest); });
    support::run(two.io, [&] { return two.principals.load_api_key(nobody); });
    BOOST_TEST((two.principals.cached(key.digest).state == state::hit));
    std::this_thread::sleep_for(std::chrono::milliseconds(2100));
    BOOST_TEST((two.principals.cached(key.digest).state == state::miss));
    BOOST_TEST((two.principals.cached(nobody).state == state::miss));
}

BOOST_FIXTURE_TEST_CASE(a_database_that_does_not_answer_fails_every_waiting_look_up, house::fixture)
{
    db::pipeline::config nowhere;
    nowhere.conninfo = "host=/nonexistent";
    nowhere.queue_timeout = std::chrono::milliseconds(200);
    db::pool lookups(one.io, nowhere, 1);
    db::principals lost(one.io, lookups);
    int failed = 0;
    auto ask = [&](db::digest key) -> db::awaitable<void> {
        try {
            co_await lost.load_api_key(key);
        } catch (const db::failure& error) {
            failed += error.unavailable();
        }
    };
    for (int i = 0; i < 200; ++i)
        boost::asio::co_spawn(one.io, ask(new_digest()), boost::asio::detached);
    while (failed < 200)
        one.io.run_one();
    BOOST_TEST(lost.remembered() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
