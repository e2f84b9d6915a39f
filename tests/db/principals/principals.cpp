#include "tests/db/database_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/test/unit_test.hpp>

#include <exception>
#include <optional>
#include <thread>

BOOST_AUTO_TEST_SUITE(principals)

using db::principals;
using db::test::from_now;
using db::test::new_digest;
using db::test::new_id;
using state = db::principals::state;

namespace {

/// Holds a lock that every lookup waits for, until destroyed.
class key_lock {
public:
    explicit key_lock(const support::database& data) : pg_(PQconnectdb(data.conninfo().c_str())), data_(data)
    {
        PQclear(PQexec(pg_, "BEGIN; LOCK TABLE api_key_principals, sessions IN ACCESS EXCLUSIVE MODE"));
    }
    ~key_lock() { PQfinish(pg_); }

    /// Run a statement in the transaction that holds the lock.
    void sql(const std::string& statement) { PQclear(PQexec(pg_, statement.c_str())); }
    void commit() { sql("COMMIT"); }

    /// Wait until so many backends wait for the lock.
    void await_waiters(db::test::core& on, int count)
    {
        for (int i = 0; i < 1000; ++i) {
            on.io.run_for(std::chrono::milliseconds(10));
            if (std::stoi(data_.sql("SELECT count(*) FROM pg_locks WHERE NOT granted")) >= count)
                return;
        }
        throw std::runtime_error("no backend waits for the lock");
    }

private:
    PGconn* pg_;
    const support::database& data_;
};

struct principals_fixture : db::test::database_fixture {
    db::principal_ref load(const db::digest& key)
    {
        return run([&] { return one.principals.load_api_key(key); });
    }

    state cached(const db::digest& key) { return one.principals.cached(key).state; }

    /// Start a lookup that sets `into` when it completes.
    void begin(const db::digest& key, std::optional<db::principal_ref>& into)
    {
        auto ask = [](db::principals& cache, db::digest which,
                      std::optional<db::principal_ref>& to) -> db::awaitable<void> {
            to = co_await cache.load_api_key(which);
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

BOOST_FIXTURE_TEST_CASE(an_api_key_resolves_to_its_owner_with_the_current_role, principals_fixture)
{
    auto key = add_key(bob, from_now(std::chrono::hours(1)));
    BOOST_TEST((cached(key.digest) == state::miss));
    auto found = load(key.digest);
    BOOST_REQUIRE(found);
    BOOST_TEST((found->kind == db::principal::kind_type::api_key));
    BOOST_TEST((found->credential_id == key.id));
    BOOST_TEST((found->user_id == bob));
    BOOST_TEST((found->workspace_id == workspace));
    BOOST_TEST((found->role == db::role::member));
    BOOST_TEST(!found->is_owner);
    BOOST_TEST(found->members_can_mint);
    BOOST_TEST(!found->email_verified);
    BOOST_TEST(key.prefix == found->prefix.c_str());
    BOOST_TEST(found->scopes.names().at(0) == "content:read");
    BOOST_TEST(!found->expired(from_now(std::chrono::seconds(0))));
    BOOST_TEST((one.principals.cached(key.digest).principal == found));

    auto admins = load(add_key(ada).digest);
    BOOST_TEST(admins->is_owner);
    BOOST_TEST((admins->role == db::role::admin));
}

BOOST_FIXTURE_TEST_CASE(a_key_without_a_membership_has_no_role, principals_fixture)
{
    auto key = add_key(bob);
    data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "'");
    BOOST_TEST(!load(key.digest)->role);
}

BOOST_FIXTURE_TEST_CASE(unknown_and_revoked_keys_are_negative_hits_and_expired_ones_are_returned,
                        principals_fixture)
{
    auto unknown = new_digest();
    BOOST_TEST(!load(unknown));
    BOOST_TEST((cached(unknown) == state::negative_hit));

    auto revoked = add_key(bob);
    data.sql("UPDATE api_keys SET revoked_at = now()");
    BOOST_TEST(!load(revoked.digest));
    BOOST_TEST((cached(revoked.digest) == state::negative_hit));

    auto expired = add_key(bob, from_now(std::chrono::seconds(-1)));
    BOOST_TEST(load(expired.digest)->expired(from_now(std::chrono::seconds(0))));
    BOOST_TEST((cached(expired.digest) == state::hit));
}

BOOST_FIXTURE_TEST_CASE(an_access_token_resolves_to_its_session, principals_fixture)
{
    auto session = add_session(ada, std::chrono::hours(5));
    auto token = new_digest();
    auto ends = from_now(std::chrono::hours(1));
    auto membership = membership_of(ada);
    auto load_session = [&](db::credential_lookup wanted) {
        return run([&] { return one.principals.load_session(wanted); });
    };
    auto found = load_session({token, session, workspace, membership, ends});
    BOOST_REQUIRE(found);
    BOOST_TEST((found->kind == db::principal::kind_type::session));
    BOOST_TEST((found->expires_at == ends));
    BOOST_TEST((found->role == db::role::admin));
    BOOST_TEST(found->is_owner);
    BOOST_TEST((cached(token) == state::hit));

    auto later = from_now(std::chrono::hours(9));
    auto nowhere = load_session({new_digest(), session, std::nullopt, std::nullopt, later});
    BOOST_TEST(!nowhere->role);
    BOOST_TEST(!nowhere->members_can_mint);
    BOOST_TEST((nowhere->expires_at.value() < later));

    auto foreign = add_workspace("His", bob);
    auto outsider = load_session({new_digest(), session, foreign, membership, ends});
    BOOST_TEST(!outsider->role);
    BOOST_TEST(!load_session({new_digest(), session, workspace, membership_of(bob), ends})->role);
    BOOST_TEST(!load_session({new_digest(), session, workspace, std::nullopt, ends})->role);

    data.sql("UPDATE sessions SET revoked_at = now()");
    auto late = new_digest();
    BOOST_TEST(!load_session({late, session, workspace, membership, ends}));
    BOOST_TEST((cached(late) == state::negative_hit));
}

BOOST_FIXTURE_TEST_CASE(a_credential_of_an_earlier_membership_has_no_role, principals_fixture)
{
    auto key = add_key(bob);
    auto ends = from_now(std::chrono::hours(1));
    db::credential_lookup token{new_digest(), add_session(bob), workspace, membership_of(bob), ends};
    auto load_session = [&] { return run([&] { return one.principals.load_session(token); }); };
    BOOST_TEST((load(key.digest)->role == db::role::member));
    BOOST_TEST((load_session()->role == db::role::member));
    BOOST_TEST((load_session()->membership_id == membership_of(bob)));
    data.sql("DELETE FROM memberships WHERE user_id = '" + to_string(bob) + "'");
    add_member(workspace, bob, "admin");
    one.principals.evict_all();
    BOOST_TEST(!load(key.digest)->role);
    BOOST_TEST(!load_session()->role);
    token.membership_id = membership_of(bob);
    token.digest = new_digest();
    BOOST_TEST((load_session()->role == db::role::admin));
}

BOOST_FIXTURE_TEST_CASE(a_session_expires_by_its_age_too, principals_fixture)
{
    auto session = add_session(bob, std::chrono::hours(24 * 365));
    auto far = from_now(std::chrono::hours(24 * 365));
    db::credential_lookup token{new_digest(), session, workspace, membership_of(bob), far};
    auto expires_at = [&] {
        token.digest = new_digest();
        return run([&] { return one.principals.load_session(token); })->expires_at.value();
    };
    BOOST_TEST((expires_at() <= from_now(std::chrono::hours(24 * 90 + 1))));
    BOOST_TEST((expires_at() >= from_now(std::chrono::hours(24 * 90 - 1))));
    data.sql("UPDATE sessions SET created_at = now() - interval '90 days'");
    BOOST_TEST((expires_at() <= from_now(std::chrono::seconds(1))));
}

BOOST_FIXTURE_TEST_CASE(concurrent_lookups_share_statements, principals_fixture)
{
    auto statements = [&] {
        return std::stol(
            data.sql("SELECT xact_commit FROM pg_stat_database WHERE datname = current_database()"));
    };
    std::vector<db::test::key> keys;
    for (int i = 0; i < 100; ++i)
        keys.push_back(add_key(bob));
    load(keys[0].digest);
    run([&] { return one.lookups.close(); }); // PostgreSQL counts a connection's transactions when it ends
    auto before = statements();

    db::test::core two(data, changes);
    int waiting = 0, right = 0;
    auto ask = [&](db::test::key key) -> db::awaitable<void> {
        auto found = co_await two.principals.load_api_key(key.digest);
        right += found && found->credential_id == key.id;
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

BOOST_FIXTURE_TEST_CASE(a_result_overtaken_by_an_eviction_is_not_cached, principals_fixture)
{
    auto key = add_key(bob);
    support::run(one.io, [&] { return one.lookups.ready(); });
    key_lock lock(data);
    std::optional<db::principal_ref> first, second;
    begin(key.digest, first);
    lock.await_waiters(one, 1);

    db::invalidation affected;
    affected.credentials.push_back(key.id);
    one.principals.evict(affected);
    begin(key.digest, second); // must not share the first lookup
    lock.await_waiters(one, 2);

    lock.sql("UPDATE api_keys SET revoked_at = now()");
    lock.commit();
    run_until([&] { return first && second; });
    BOOST_TEST(!*second);
    BOOST_TEST((cached(key.digest) == state::negative_hit));
}

BOOST_FIXTURE_TEST_CASE(a_lookup_after_an_eviction_never_shares_an_earlier_result, principals_fixture)
{
    auto key = add_key(bob);
    load(new_digest()); // prepares the statement, on the connection that the next lookup takes as well
    std::optional<db::principal_ref> first, second;
    {
        // The result has arrived, and is held back by not running the core. The pattern does not match the
        // statement that contains it, which connections of earlier rounds have executed.
        auto since = data.sql("SELECT clock_timestamp()"); // there were lookups before
        begin(key.digest, first);
        one.io.restart();
        while (std::stoi(data.sql(
                   "SELECT count(*) FROM pg_stat_activity WHERE query LIKE '%digest_head' || ' = ANY%' "
                   "AND state = 'idle' AND pid <> pg_backend_pid() AND query_start > '" +
                   since + "'")) == 0)
            one.io.poll_one();
    }
    BOOST_TEST(!first);
    data.sql("UPDATE api_keys SET revoked_at = now()");
    db::invalidation affected;
    affected.users.push_back(bob);
    one.principals.evict(affected);
    begin(key.digest, second);
    run_until([&] { return first && second; });
    BOOST_REQUIRE(*first);
    BOOST_TEST((*first)->credential_id == key.id); // it began before the eviction: either order is correct
    BOOST_TEST(!*second);
    BOOST_TEST((cached(key.digest) == state::negative_hit));
}

BOOST_FIXTURE_TEST_CASE(each_kind_of_subject_is_evicted, principals_fixture)
{
    auto key = add_key(bob), admins = add_key(ada);
    auto evicts = [&](auto member, const auto& subject) {
        load(key.digest);
        load(admins.digest);
        db::invalidation affected;
        (affected.*member).push_back(subject);
        one.principals.evict(affected);
        return cached(key.digest) == state::miss;
    };
    BOOST_TEST(evicts(&db::invalidation::credentials, key.id));
    BOOST_TEST((cached(admins.digest) == state::hit));
    BOOST_TEST(evicts(&db::invalidation::users, bob));
    BOOST_TEST((cached(admins.digest) == state::hit));
    BOOST_TEST(evicts(&db::invalidation::digests, key.digest));
    BOOST_TEST((cached(admins.digest) == state::hit));
    BOOST_TEST(evicts(&db::invalidation::workspaces, workspace));
    BOOST_TEST((cached(admins.digest) == state::miss));

    auto unissued = new_digest();
    load(unissued);
    BOOST_TEST(evicts(&db::invalidation::digests, unissued) == false);
    BOOST_TEST((cached(unissued) == state::miss));
}

BOOST_FIXTURE_TEST_CASE(an_entry_older_than_max_age_is_loaded_again, db::test::database_fixture)
{
    db::principals::config settings;
    settings.max_age = std::chrono::seconds(3);
    db::test::core two(data, changes, settings);
    auto key = add_key(bob);
    auto unknown = new_digest();
    support::run(two.io, [&] { return two.principals.load_api_key(key.digest); });
    support::run(two.io, [&] { return two.principals.load_api_key(unknown); });
    BOOST_TEST((two.principals.cached(key.digest).state == state::hit));
    std::this_thread::sleep_for(std::chrono::milliseconds(4100));
    BOOST_TEST((two.principals.cached(key.digest).state == state::miss));
    BOOST_TEST((two.principals.cached(unknown).state == state::miss));
}

/// Settings with which no answer counts without a lease.
static db::principals::config needing(const db::lease& lease)
{
    db::principals::config out;
    out.lease = &lease;
    out.needs_lease = true;
    out.lease_wait = std::chrono::milliseconds(300);
    return out;
}

BOOST_FIXTURE_TEST_CASE(where_answers_need_a_lease_lookups_wait_for_it, db::test::database_fixture)
{
    db::lease lease;
    db::test::core two(data, changes, needing(lease));
    auto key = add_key(bob);
    auto load = [&] { return support::run(two.io, [&] { return two.principals.load_api_key(key.digest); }); };
    BOOST_CHECK_EXCEPTION(load(), db::failure, [](auto& why) { return why.unavailable(); });

    boost::asio::steady_timer granted(two.io, std::chrono::milliseconds(50));
    granted.async_wait([&](auto) { lease.grant(db::boot_clock::now() + std::chrono::minutes(1)); });
    BOOST_TEST((load() != nullptr));
    lease.drop();
    BOOST_CHECK_EXCEPTION(load(), db::failure, [](auto& why) { return why.unavailable(); });
}

BOOST_FIXTURE_TEST_CASE(a_lease_that_ends_before_the_answer_makes_the_lookup_fail, principals_fixture)
{
    db::lease lease;
    db::test::core two(data, changes, needing(lease));
    auto key = add_key(bob);
    lease.grant(db::boot_clock::now() + std::chrono::minutes(1));
    support::run(two.io, [&] { return two.lookups.ready(); });
    std::optional<key_lock> lock(std::in_place, data);
    std::exception_ptr failed;
    bool is_done = false;
    boost::asio::co_spawn(two.io, two.principals.load_api_key(key.digest),
                          [&](std::exception_ptr error, const db::principal_ref&) {
                              failed = error;
                              is_done = true;
                          });
    lock->await_waiters(two, 1);
    lease.drop();
    lock.reset();
    while (!is_done)
        two.io.run_one();
    BOOST_TEST((failed != nullptr));
}

BOOST_FIXTURE_TEST_CASE(an_unreachable_database_fails_every_waiting_lookup, db::test::database_fixture)
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
    BOOST_TEST(lost.size() == 0u);
}

BOOST_AUTO_TEST_SUITE_END()
