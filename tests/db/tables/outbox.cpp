// The outbox: queuing, claiming by workers, delivery and failure.
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
using db::outbox::lane;
using db::test::new_id;
using namespace std::chrono_literals;

namespace {

const db::statement revoke_key{"test_outbox_revoke",
                               "UPDATE api_keys SET revoked_at = now() WHERE digest = $1"};

struct outbox_fixture : db::test::database_fixture {
    db::pool first{one.io, db::test::core::pipeline_settings(data), 1};
    db::pool second{one.io, db::test::core::pipeline_settings(data), 1};

    static db::outbox::draft draft_of(kind mail_kind, std::string variables = "{}")
    {
        db::outbox::draft out;
        out.id = new_id();
        out.kind = mail_kind;
        out.variables = std::move(variables);
        return out;
    }

    /// @return its id
    db::uuid add(kind mail_kind = kind::verify)
    {
        auto mail = draft_of(mail_kind);
        mail.sealed_token = {1, 2, 3};
        commit([&](db::batch& work) { db::outbox::add_to_address(work, mail, ada, "ada@example.org"); });
        return mail.id;
    }

    void make_due(const db::uuid& id, const std::string& ago)
    {
        data.sql("UPDATE outbox SET next_attempt_at = now() - interval '" + ago + "' WHERE id = '" +
                 to_string(id) + "'");
    }

    std::vector<db::outbox::row> claim_many(db::pool& by, int limit, lane which = lane::security)
    {
        return run([&] { return db::outbox::claim(by, which, limit, 60s); });
    }

    std::optional<db::outbox::row> claim(db::pool& by, lane which = lane::security)
    {
        auto rows = claim_many(by, 1, which);
        return rows.empty() ? std::nullopt : std::optional(rows.front());
    }

    /// Nothing if none is due.
    std::optional<db::uuid> claim_id(db::pool& by)
    {
        auto claimed = claim(by);
        return claimed ? std::optional(claimed->id) : std::nullopt;
    }

    void mark_sent(db::pool& by, const db::uuid& id)
    {
        std::vector<db::uuid> ids{id};
        run([&] { return db::outbox::mark_sent(by, ids); });
    }

    void verify_addresses() { data.sql("UPDATE users SET email_verified_at = now()"); }

    void expire_claims() { data.sql("UPDATE outbox SET claimed_until = now()"); }

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

    void switch_off(const db::uuid& user, const std::string& mail_kind)
    {
        data.sql("UPDATE users SET notifications = '{\"" + mail_kind +
                 "\": {\"email\": false}}' WHERE id = '" + to_string(user) + "'");
    }
};

} // namespace

BOOST_FIXTURE_TEST_CASE(an_email_is_returned_unchanged, outbox_fixture)
{
    auto mail = draft_of(kind::email_change, R"({"ttl_seconds": 7})");
    mail.sealed_token = {0, 255, 7};
    commit([&](db::batch& work) { db::outbox::add_to_address(work, mail, ada, "new@example.org"); });
    auto claimed = claim(first);
    BOOST_REQUIRE(claimed);
    BOOST_TEST((claimed->id == mail.id));
    BOOST_TEST((claimed->kind == kind::email_change));
    BOOST_TEST((claimed->user_id == ada));
    BOOST_TEST(claimed->recipient == "new@example.org");
    BOOST_TEST(!claimed->name);
    BOOST_TEST(claimed->variables == R"({"ttl_seconds": 7})");
    BOOST_TEST((claimed->sealed_token == mail.sealed_token));
    BOOST_TEST(claimed->attempts == 1);
    BOOST_TEST(
        (claimed->created_at > db::test::from_now(-10s) && claimed->created_at < db::test::from_now(10s)));
}

BOOST_FIXTURE_TEST_CASE(only_a_users_own_verified_address_gets_the_name, outbox_fixture)
{
    data.sql("UPDATE users SET name = 'Ada L.' WHERE id = '" + to_string(ada) + "'");
    auto names = [&] {
        auto own = draft_of(kind::reset), other = draft_of(kind::email_change);
        commit([&](db::batch& work) {
            db::outbox::add_to_address(work, own, ada, "ada@example.org");
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

BOOST_FIXTURE_TEST_CASE(every_kind_is_stored, outbox_fixture)
{
    verify_addresses();
    boost::mp11::mp_for_each<boost::describe::describe_enumerators<kind>>([&](auto each) {
        auto mail = draft_of(each.value);
        commit([&](db::batch& work) { db::outbox::add_to_user(work, mail, bob); });
        auto claimed = claim(first, lane::security);
        if (!claimed)
            claimed = claim(first, lane::bulk);
        BOOST_REQUIRE(claimed);
        BOOST_TEST((claimed->kind == each.value), each.name);
        BOOST_TEST(!claimed->sealed_token.has_value());
        BOOST_TEST(claimed->recipient == "bob@example.org");
        BOOST_TEST(!claimed->name);
        mark_sent(first, claimed->id);
    });
    BOOST_TEST(count() == "0");
}

BOOST_FIXTURE_TEST_CASE(an_unknown_user_gets_no_email, outbox_fixture)
{
    auto mail = draft_of(kind::verify);
    commit([&](db::batch& work) {
        db::outbox::add_to_user(work, mail, new_id());
        db::outbox::add_to_address(work, mail, new_id(), "unknown@example.org");
    });
    BOOST_TEST(count() == "0");
    BOOST_TEST(!claim(first));
}

BOOST_FIXTURE_TEST_CASE(two_workers_never_claim_the_same_email, outbox_fixture)
{
    auto older = add(), newer = add();
    make_due(older, "1 minute");
    BOOST_TEST((claim_id(first) == older));
    BOOST_TEST((claim_id(second) == newer));
    db::pool third{one.io, db::test::core::pipeline_settings(data), 1};
    BOOST_TEST(!claim(third));
    mark_sent(first, older);
    BOOST_TEST(!claim(first));
    mark_sent(second, newer);
    BOOST_TEST(!claim(second));
    BOOST_TEST(count() == "0");
}

BOOST_FIXTURE_TEST_CASE(many_emails_are_distributed_among_concurrent_workers, outbox_fixture)
{
    constexpr std::size_t emails = 60;
    data.sql("UPDATE mail_limits SET recipient = 0");
    for (std::size_t i = 0; i < emails; ++i)
        add();
    std::vector<db::uuid> claimed;
    int working = 2;
    auto work = [&](db::pool& by) -> db::awaitable<void> {
        for (;;) {
            auto rows = co_await db::outbox::claim(by, lane::security, 7, 60s);
            if (rows.empty())
                break;
            std::vector<db::uuid> ids;
            for (auto& row : rows)
                ids.push_back(row.id);
            claimed.insert(claimed.end(), ids.begin(), ids.end());
            co_await db::outbox::mark_sent(by, ids);
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
    BOOST_TEST(claimed.size() == emails);
    std::ranges::sort(claimed);
    BOOST_TEST((std::ranges::adjacent_find(claimed) == claimed.end()));
    BOOST_TEST(count() == "0");
}

BOOST_FIXTURE_TEST_CASE(the_email_due_the_longest_is_claimed_first, outbox_fixture)
{
    auto a = add(), b = add(), c = add(), later = add();
    make_due(b, "3 minutes");
    make_due(a, "2 minutes");
    make_due(c, "1 minute");
    make_due(later, "-1 minute");
    for (auto& next : {b, a, c}) {
        BOOST_TEST((claim_id(first) == next));
        mark_sent(first, next);
    }
    BOOST_TEST(!claim(first));
    BOOST_TEST(count() == "1");
}

BOOST_FIXTURE_TEST_CASE(a_claim_holds_no_transaction_and_expires, outbox_fixture)
{
    auto id = add();
    BOOST_TEST((claim_id(first) == id));
    BOOST_TEST(data.sql("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND "
                        "state LIKE 'idle in transaction%'") == "0");
    BOOST_TEST(count("claimed_until BETWEEN now() + interval '50s' AND now() + interval '61s'") == "1");
    BOOST_TEST(!claim(second));
    expire_claims(); // as if the worker had crashed
    auto again = claim(second);
    BOOST_REQUIRE(again);
    BOOST_TEST((again->id == id));
    BOOST_TEST(again->attempts == 2);
}

BOOST_FIXTURE_TEST_CASE(the_results_of_an_expired_claim_are_ignored_except_a_delivery, outbox_fixture)
{
    auto id = add();
    auto late = claim(first);
    expire_claims();
    auto current = claim(second);
    BOOST_REQUIRE((late && current));
    run([&] { return db::outbox::postpone(first, id, late->attempts, 40s, "late"); });
    run([&] { return db::outbox::mark_failed(first, id, late->attempts, "late"); });
    BOOST_TEST(count("last_error IS NULL AND failed_at IS NULL AND claimed_until > now()") == "1");
    mark_sent(first, id);
    BOOST_TEST(count() == "0");
    run([&] { return db::outbox::postpone(second, id, current->attempts, 40s, "too late"); });
    BOOST_TEST(count() == "0");
}

BOOST_FIXTURE_TEST_CASE(each_lane_is_claimed_by_itself, outbox_fixture)
{
    verify_addresses();
    auto request = draft_of(kind::approval_given);
    commit([&](db::batch& work) { db::outbox::add_to_user(work, request, ada); });
    auto reset = add(kind::reset);
    make_due(request.id, "1 hour");
    BOOST_TEST((claim_id(first) == reset));
    BOOST_TEST(!claim(first, lane::security));
    auto bulk = claim(first, lane::bulk);
    BOOST_REQUIRE(bulk);
    BOOST_TEST((bulk->id == request.id));
    BOOST_TEST(!claim(first, lane::bulk));
}

BOOST_FIXTURE_TEST_CASE(a_claim_takes_at_most_as_many_as_asked_for, outbox_fixture)
{
    for (int i = 0; i < 5; ++i)
        add();
    BOOST_TEST(claim_many(first, 3).size() == 3u);
    BOOST_TEST(claim_many(second, 3).size() == 2u);
    BOOST_TEST(claim_many(second, 3).empty());
}

BOOST_FIXTURE_TEST_CASE(a_postponed_email_waits_and_counts_its_attempts, outbox_fixture)
{
    auto id = add();
    for (int attempts = 0; attempts < 3; ++attempts) {
        auto claimed = claim(first);
        BOOST_REQUIRE(claimed);
        BOOST_TEST(claimed->attempts == attempts + 1);
        run([&] { return db::outbox::postpone(first, id, attempts + 1, 40s, "451 not now"); });
        BOOST_TEST(!claim(first));
        BOOST_TEST(!claim(second));
        BOOST_TEST(count("next_attempt_at BETWEEN now() + interval '30s' AND now() + interval '41s' AND "
                         "last_error = '451 not now' AND failed_at IS NULL AND sealed_token IS NOT NULL") ==
                   "1");
        make_due(id, "1s");
    }
}

BOOST_FIXTURE_TEST_CASE(a_failed_email_is_kept_without_its_token, outbox_fixture)
{
    auto id = add();
    claim(first);
    run([&] { return db::outbox::mark_failed(first, id, 1, "550 no such user"); });
    BOOST_TEST(!claim(first));
    BOOST_TEST(!claim(second));
    BOOST_TEST(count("failed_at IS NOT NULL AND sealed_token IS NULL AND attempts = 1 AND "
                     "last_error = '550 no such user'") == "1");
}

BOOST_FIXTURE_TEST_CASE(a_failed_transaction_queues_no_email, outbox_fixture)
{
    auto mail = draft_of(kind::verify);
    db::users::draft duplicate;
    duplicate.id = new_id();
    duplicate.email = duplicate.email_normalized = "ada@example.org";
    BOOST_CHECK_THROW(commit([&](db::batch& work) {
                          db::outbox::add_to_user(work, mail, ada);
                          db::users::add_insert(work, duplicate);
                      }),
                      db::failure);
    BOOST_TEST(count() == "0");
}

BOOST_FIXTURE_TEST_CASE(a_kind_that_the_user_switched_off_is_not_queued, outbox_fixture)
{
    verify_addresses();
    switch_off(ada, "key_minted");
    for (auto mail_kind : {kind::key_minted, kind::password_changed})
        for (auto& user : {ada, bob}) {
            auto mail = draft_of(mail_kind);
            commit([&](db::batch& work) { db::outbox::add_to_user(work, mail, user); });
        }
    BOOST_TEST(all() == "ada@example.org password_changed, bob@example.org key_minted, "
                        "bob@example.org password_changed");

    data.sql("DELETE FROM outbox; UPDATE users SET notifications = '{\"key_minted\": {\"email\": true}}'");
    auto mail = draft_of(kind::key_minted);
    commit([&](db::batch& work) { db::outbox::add_to_user(work, mail, ada); });
    BOOST_TEST(all() == "ada@example.org key_minted");
}

BOOST_FIXTURE_TEST_CASE(an_email_to_an_address_ignores_preferences, outbox_fixture)
{
    switch_off(ada, "verify");
    add(kind::verify);
    BOOST_TEST(all() == "ada@example.org verify");
}

BOOST_FIXTURE_TEST_CASE(a_keys_owner_is_notified_only_by_the_transaction_that_revokes_it, outbox_fixture)
{
    verify_addresses();
    auto key = add_key(bob), other = add_key(bob);
    auto queue = [&](bool revoking, const db::test::key& about) {
        auto mail = draft_of(kind::key_reported, R"({"ip": "192.0.2.9", "name": "wrong"})");
        commit([&](db::batch& work) {
            if (revoking)
                work.add(revoke_key, key.digest);
            db::outbox::add_to_key_owner(work, mail, about.digest);
        });
    };
    queue(false, key);
    BOOST_TEST(count() == "0");
    queue(true, other);
    BOOST_TEST(count() == "0");
    data.sql("UPDATE api_keys SET revoked_at = NULL");
    queue(true, key);
    BOOST_TEST(all() == "bob@example.org key_reported");
    BOOST_TEST(data.sql("SELECT variables FROM outbox") == R"({"ip": "192.0.2.9", "name": "ci"})");
    queue(false, key);
    BOOST_TEST(count() == "1");
}

BOOST_FIXTURE_TEST_CASE(the_owner_of_a_workspace_is_notified_of_its_keys, outbox_fixture)
{
    verify_addresses();
    auto key = add_key(bob);
    data.sql("UPDATE api_keys SET user_id = NULL, role = 'member'");
    auto mail = draft_of(kind::key_reported);
    auto queue = [&] {
        commit([&](db::batch& work) {
            work.add(revoke_key, key.digest);
            db::outbox::add_to_key_owner(work, mail, key.digest);
        });
    };
    switch_off(ada, "key_reported");
    queue();
    BOOST_TEST(count() == "0");
    switch_off(ada, "key_minted");
    queue();
    BOOST_TEST(all() == "ada@example.org key_reported");
}

BOOST_FIXTURE_TEST_CASE(emails_are_deleted_with_their_user, outbox_fixture)
{
    auto being_sent = add();
    add();
    make_due(being_sent, "1 minute");
    BOOST_REQUIRE((claim_id(first) == being_sent));
    data.sql("DELETE FROM memberships WHERE user_id <> '" + to_string(ada) + "'; SELECT delete_account('" +
             to_string(ada) + "')");
    BOOST_TEST(count() == "0");
    run([&] { return db::outbox::postpone(first, being_sent, 1, 0ms, "later"); });
    db::retention sweep(one.db, {});
    run([&] { return sweep.run_to_completion(); });
    BOOST_TEST(count() == "0");
}

BOOST_AUTO_TEST_SUITE_END()
