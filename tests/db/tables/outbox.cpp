// Mail that waits: by whom it is taken, and what becomes of it.
#include "db/tables/outbox.hpp"

#include "db/tables/retention.hpp"
#include "tests/db/database_fixture.hpp"

#include <boost/asio/detached.hpp>
#include <boost/describe/enumerators.hpp>
#include <boost/mp11/algorithm.hpp>
#include <boost/test/unit_test.hpp>

#include <algorithm>

BOOST_AUTO_TEST_SUITE(outbox)

using db::outbox::kind;
using house::new_id;
using namespace std::chrono_literals;

namespace {

const db::statement idle_limit{"outbox_test_idle_limit",
                               "SELECT current_setting('idle_in_transaction_session_timeout')"};
const db::statement revoke_key{"test_outbox_revoke",
                               "UPDATE api_keys SET revoked_at = now() WHERE digest = $1"};

struct post_office : house::fixture {
    db::pool first{one.io, house::core::reach(data), 1};
    db::pool second{one.io, house::core::reach(data), 1};

    static db::outbox::draft draft_of(kind what, std::string facts = "{}")
    {
        db::outbox::draft out;
        out.id = new_id();
        out.what = what;
        out.facts = std::move(facts);
        return out;
    }

    /// @return its id
    db::uuid add(kind what = kind::verify)
    {
        auto letter = draft_of(what);
        letter.sealed_token = {1, 2, 3};
        commit([&](db::batch& work) { db::outbox::add_to_address(work, letter, ada, "ada@example.org"); });
        return letter.id;
    }

    void be_due(const db::uuid& id, const std::string& ago)
    {
        data.sql("UPDATE outbox SET next_attempt_at = now() - interval '" + ago + "' WHERE id = '" +
                 to_string(id) + "'");
    }

    std::optional<db::outbox::row> take(db::pool& by)
    {
        return run([&] { return db::outbox::take(by); });
    }

    /// Nothing if it takes none.
    std::optional<db::uuid> take_id(db::pool& by)
    {
        auto taken = take(by);
        return taken ? std::optional(taken->id) : std::nullopt;
    }

    void settle(db::pool& by, const db::uuid& id)
    {
        run([&] { return db::outbox::settle(by, id); });
    }

    std::string count(const std::string& which = "true")
    {
        return data.sql("SELECT count(*) FROM outbox WHERE " + which);
    }

    /// "recipient kind" of all, sorted.
    std::string all()
    {
        return data.sql(
            "SELECT string_agg(recipient || ' ' || kind, ', ' ORDER BY recipient, kind) FROM outbox");
    }

    void switch_off(const db::uuid& whose, const std::string& what)
    {
        data.sql("UPDATE users SET notifications = '{\"" + what + "\": {\"email\": false}}' WHERE id = '" +
                 to_string(whose) + "'");
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_letter_comes_back_as_it_was_written, post_office)
{
    auto letter = draft_of(kind::email_change, R"({"lives": 7})");
    letter.sealed_token = {0, 255, 7};
    commit([&](db::batch& work) { db::outbox::add_to_address(work, letter, ada, "new@example.org"); });
    auto taken = take(first);
    BOOST_REQUIRE(taken);
    BOOST_TEST((taken->id == letter.id));
    BOOST_TEST((taken->what == kind::email_change));
    BOOST_TEST((taken->user_id == ada));
    BOOST_TEST(taken->recipient == "new@example.org");
    BOOST_TEST(!taken->name);
    BOOST_TEST(taken->facts == R"({"lives": 7})");
    BOOST_TEST((taken->sealed_token == letter.sealed_token));
    BOOST_TEST(taken->attempts == 0);
    BOOST_TEST((taken->created_at > house::in(-10s) && taken->created_at < house::in(10s)));
}

BOOST_FIXTURE_TEST_CASE(only_at_a_proven_address_of_their_own_people_are_called_by_name, post_office)
{
    data.sql("UPDATE users SET name = 'Ada L.' WHERE id = '" + to_string(ada) + "'");
    auto names = [&] {
        auto own = draft_of(kind::password_changed), other = draft_of(kind::email_change);
        commit([&](db::batch& work) {
            db::outbox::add_to_user(work, own, ada);
            db::outbox::add_to_address(work, other, ada, "new@example.org");
        });
        auto found =
            data.sql("SELECT string_agg(recipient || ' ' || coalesce(name, '-'), ', ' ORDER BY recipient) "
                     "FROM outbox");
        data.sql("DELETE FROM outbox");
        return found;
    };
    BOOST_TEST(names() == "ada@example.org -, new@example.org -");
    data.sql("UPDATE users SET email_verified_at = now()");
    BOOST_TEST(names() == "ada@example.org Ada L., new@example.org -");
}

BOOST_FIXTURE_TEST_CASE(every_kind_can_be_kept, post_office)
{
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<kind>>([&](auto each) {
        auto letter = draft_of(each.value);
        commit([&](db::batch& work) { db::outbox::add_to_user(work, letter, bob); });
        auto taken = take(first);
        BOOST_REQUIRE(taken);
        BOOST_TEST((taken->what == each.value), each.name);
        BOOST_TEST(!taken->sealed_token.has_value());
        BOOST_TEST(taken->recipient == "bob@example.org");
        BOOST_TEST(!taken->name);
        settle(first, taken->id);
    });
    BOOST_TEST(count() == "0");
}

BOOST_FIXTURE_TEST_CASE(nobody_gets_a_letter_who_is_nobody, post_office)
{
    auto letter = draft_of(kind::verify);
    commit([&](db::batch& work) {
        db::outbox::add_to_user(work, letter, new_id());
        db::outbox::add_to_address(work, letter, new_id(), "nobody@example.org");
    });
    BOOST_TEST(count() == "0");
    BOOST_TEST(!take(first));
}

BOOST_FIXTURE_TEST_CASE(two_workers_never_take_the_same_letter, post_office)
{
    auto older = add(), newer = add();
    be_due(older, "1 minute");
    BOOST_TEST((take_id(first) == older));
    BOOST_TEST((take_id(second) == newer));
    db::pool third{one.io, house::core::reach(data), 1};
    BOOST_TEST(!take(third));
    settle(first, older);
    BOOST_TEST(!take(first));
    settle(second, newer);
    BOOST_TEST(!take(second));
    BOOST_TEST(count() == "0");
}

BOOST_FIXTURE_TEST_CASE(many_letters_are_shared_out_among_workers_at_the_same_time, post_office)
{
    constexpr std::size_t letters = 60;
    for (std::size_t i = 0; i < letters; ++i)
        add();
    std::vector<db::uuid> taken;
    int working = 0;
    auto work = [&](db::pool& by) -> db::awaitable<void> {
        ++working;
        for (;;) {
            auto letter = co_await db::outbox::take(by);
            if (!letter)
                break;
            taken.push_back(letter->id);
            co_await db::outbox::settle(by, letter->id);
        }
        --working;
    };
    boost::asio::co_spawn(one.io, work(first), boost::asio::detached);
    boost::asio::co_spawn(one.io, work(second), boost::asio::detached);
    auto until = std::chrono::steady_clock::now() + 30s;
    one.io.restart();
    do
        one.io.run_one_until(until);
    while (working > 0 && std::chrono::steady_clock::now() < until);
    BOOST_TEST(taken.size() == letters);
    std::ranges::sort(taken);
    BOOST_TEST((std::ranges::adjacent_find(taken) == taken.end()));
    BOOST_TEST(count() == "0");
}

BOOST_FIXTURE_TEST_CASE(the_letter_that_waits_the_longest_goes_first, post_office)
{
    auto a = add(), b = add(), c = add(), later = add();
    be_due(b, "3 minutes");
    be_due(a, "2 minutes");
    be_due(c, "1 minute");
    be_due(later, "-1 minute");
    for (auto& next : {b, a, c}) {
        BOOST_TEST((take_id(first) == next));
        settle(first, next);
    }
    BOOST_TEST(!take(first));
    BOOST_TEST(count() == "1");
}

BOOST_FIXTURE_TEST_CASE(a_worker_whose_connection_dies_lets_go_of_its_letter, post_office)
{
    auto id = add();
    BOOST_TEST((take_id(first) == id));
    BOOST_TEST(!take(second));
    BOOST_TEST(data.sql("SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity "
                        "WHERE datname = current_database() AND state = 'idle in transaction'") == "1");
    std::optional<db::outbox::row> taken;
    auto until = std::chrono::steady_clock::now() + 10s;
    while (!taken && std::chrono::steady_clock::now() < until)
        taken = take(second);
    BOOST_REQUIRE(taken);
    BOOST_TEST((taken->id == id));
    BOOST_TEST(taken->attempts == 0);
    settle(second, id);

    auto next = add(); // and can go on
    until = std::chrono::steady_clock::now() + 10s;
    std::optional<db::uuid> again;
    while (!again && std::chrono::steady_clock::now() < until)
        try {
            again = take_id(first);
        } catch (const db::failure& e) {
            BOOST_TEST(e.unavailable());
        }
    BOOST_TEST((again == next));
}

BOOST_FIXTURE_TEST_CASE(a_worker_that_hangs_loses_its_letter_in_time, post_office)
{
    auto limit = [&] { return run([&] { return first.run(idle_limit); }).scalar<std::string>(); };
    auto before = limit();
    auto id = add();
    take(first);
    BOOST_TEST(limit() == "2min");
    settle(first, id);
    BOOST_TEST(limit() == before);
}

BOOST_FIXTURE_TEST_CASE(a_letter_that_was_let_go_is_as_it_was, post_office)
{
    auto id = add();
    take(first);
    run([&] { return db::outbox::let_go(first); });
    auto taken = take(second);
    BOOST_REQUIRE(taken);
    BOOST_TEST((taken->id == id));
    BOOST_TEST(taken->attempts == 0);
    run([&] { return db::outbox::let_go(first); }); // of nothing
    BOOST_TEST(!take(first));
}

BOOST_FIXTURE_TEST_CASE(a_postponed_letter_waits_its_time_and_counts_its_attempts, post_office)
{
    auto id = add();
    for (int attempts = 0; attempts < 3; ++attempts) {
        auto taken = take(first);
        BOOST_REQUIRE(taken);
        BOOST_TEST(taken->attempts == attempts);
        run([&] { return db::outbox::postpone(first, id, 40s, "451 not now"); });
        BOOST_TEST(!take(first));
        BOOST_TEST(!take(second));
        BOOST_TEST(count("next_attempt_at BETWEEN now() + interval '30s' AND now() + interval '41s' AND "
                         "last_error = '451 not now' AND failed_at IS NULL AND sealed_token IS NOT NULL") ==
                   "1");
        be_due(id, "1s");
    }
}

BOOST_FIXTURE_TEST_CASE(a_letter_given_up_is_kept_without_its_token, post_office)
{
    auto id = add();
    take(first);
    run([&] { return db::outbox::give_up(first, id, "550 nobody here"); });
    BOOST_TEST(!take(first));
    BOOST_TEST(!take(second));
    BOOST_TEST(count("failed_at IS NOT NULL AND sealed_token IS NULL AND attempts = 1 AND "
                     "last_error = '550 nobody here'") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_letter_of_a_transaction_that_fails_was_never_written, post_office)
{
    auto letter = draft_of(kind::verify);
    db::users::draft taken;
    taken.id = new_id();
    taken.email = taken.email_normalized = "ada@example.org";
    BOOST_CHECK_THROW(commit([&](db::batch& work) {
                          db::outbox::add_to_user(work, letter, ada);
                          db::users::add_insert(work, taken);
                      }),
                      db::failure);
    BOOST_TEST(count() == "0");
}

BOOST_FIXTURE_TEST_CASE(what_a_person_does_not_want_is_not_written, post_office)
{
    switch_off(ada, "key_minted");
    for (auto what : {kind::key_minted, kind::password_changed})
        for (auto& whom : {ada, bob}) {
            auto letter = draft_of(what);
            commit([&](db::batch& work) { db::outbox::add_to_user(work, letter, whom); });
        }
    BOOST_TEST(all() == "ada@example.org password_changed, bob@example.org key_minted, "
                        "bob@example.org password_changed");

    data.sql("DELETE FROM outbox; UPDATE users SET notifications = '{\"key_minted\": {\"email\": true}}'");
    auto letter = draft_of(kind::key_minted);
    commit([&](db::batch& work) { db::outbox::add_to_user(work, letter, ada); });
    BOOST_TEST(all() == "ada@example.org key_minted");
}

BOOST_FIXTURE_TEST_CASE(a_letter_to_an_address_asks_for_no_wishes, post_office)
{
    switch_off(ada, "verify");
    add(kind::verify);
    BOOST_TEST(all() == "ada@example.org verify");
}

BOOST_FIXTURE_TEST_CASE(a_keys_owner_is_told_by_the_transaction_that_revokes_it_alone, post_office)
{
    auto key = add_key(bob), other = add_key(bob);
    auto tell = [&](bool revoking, const house::key& about) {
        auto letter = draft_of(kind::key_reported, R"({"ip": "192.0.2.9", "name": "wrong"})");
        commit([&](db::batch& work) {
            if (revoking)
                work.add(revoke_key, key.digest);
            db::outbox::add_to_key_owner(work, letter, about.digest);
        });
    };
    tell(false, key);
    BOOST_TEST(count() == "0");
    tell(true, other);
    BOOST_TEST(count() == "0");
    data.sql("UPDATE api_keys SET revoked_at = NULL");
    tell(true, key);
    BOOST_TEST(all() == "bob@example.org key_reported");
    BOOST_TEST(data.sql("SELECT facts FROM outbox") == R"({"ip": "192.0.2.9", "name": "ci"})");
    tell(false, key);
    BOOST_TEST(count() == "1");
}

BOOST_FIXTURE_TEST_CASE(of_a_workspaces_key_its_owner_is_told, post_office)
{
    auto key = add_key(bob);
    data.sql("UPDATE api_keys SET user_id = NULL, role = 'member'");
    auto letter = draft_of(kind::key_reported);
    auto tell = [&] {
        commit([&](db::batch& work) {
            work.add(revoke_key, key.digest);
            db::outbox::add_to_key_owner(work, letter, key.digest);
        });
    };
    switch_off(ada, "key_reported");
    tell();
    BOOST_TEST(count() == "0");
    switch_off(ada, "key_minted");
    tell();
    BOOST_TEST(all() == "ada@example.org key_reported");
}

BOOST_FIXTURE_TEST_CASE(letters_go_with_their_reader, post_office)
{
    auto being_sent = add(), waiting = add();
    be_due(being_sent, "1 minute");
    BOOST_REQUIRE((take_id(first) == being_sent));
    data.sql("DELETE FROM memberships WHERE user_id <> '" + to_string(ada) + "'; SELECT delete_account('" +
             to_string(ada) + "')");
    BOOST_TEST(count() == "1"); // nobody waits for the one that is being sent
    BOOST_TEST(count("id = '" + to_string(waiting) + "'") == "0");
    run([&] { return db::outbox::postpone(first, being_sent, 0ms, "later"); });
    run([&] { return db::purge(one.db); });
    BOOST_TEST(count() == "0");
}

BOOST_AUTO_TEST_SUITE_END()
