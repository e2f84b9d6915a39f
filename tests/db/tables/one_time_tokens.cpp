// One-time tokens: valid for one purpose, once, until they expire.
#include "db/tables/one_time_tokens.hpp"

#include "tests/db/database_fixture.hpp"
#include "tests/support/transaction.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(one_time_tokens)

using db::one_time_tokens::purpose;
using db::test::new_digest;
using namespace std::chrono_literals;

namespace {

struct token_fixture : db::test::database_fixture {
    db::digest add(const db::uuid& user, purpose expected, std::chrono::microseconds ttl = 1h,
                   std::string_view email = "")
    {
        db::one_time_tokens::draft token;
        token.user_id = user;
        token.purpose = expected;
        token.digest = new_digest();
        auto own = data.sql("SELECT email FROM users WHERE id = '" + to_string(user) + "'");
        token.email = email.empty() ? own : email;
        token.expires_at = db::test::from_now(ttl);
        commit([&](db::batch& work) { db::one_time_tokens::add_replace(work, token); });
        return token.digest;
    }

    std::optional<db::one_time_tokens::row> find(const db::digest& token, purpose expected)
    {
        return run([&] { return db::one_time_tokens::find(one.db, token, expected); });
    }

    bool is_valid(const db::digest& token, purpose expected) { return find(token, expected).has_value(); }

    /// Consumes it and changes a row in the same batch. @return whether both were done
    bool consume(const db::digest& token, purpose expected)
    {
        data.sql("UPDATE workspaces SET name = 'Engines'");
        try {
            commit([&](db::batch& work) {
                work.add(rename);
                db::one_time_tokens::add_consume(work, token, expected);
            });
        } catch (const db::failure& e) {
            BOOST_TEST(db::one_time_tokens::was_invalid(e));
            BOOST_TEST(!e.unavailable());
            BOOST_TEST(data.sql("SELECT name FROM workspaces") == "Engines");
            return false;
        }
        BOOST_TEST(data.sql("SELECT name FROM workspaces") == "Renamed");
        return true;
    }

    std::string consume_sql(const db::digest& token)
    {
        static const char* const digits = "0123456789abcdef";
        std::string hex;
        for (auto byte : token) {
            hex += digits[byte >> 4];
            hex += digits[byte & 15];
        }
        return "SELECT consume_one_time_token('\\x" + hex + "', 'reset_password')";
    }

    const db::statement rename{"one_time_tokens_test_rename", "UPDATE workspaces SET name = 'Renamed'"};
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_token_identifies_its_user_and_email_address, token_fixture)
{
    data.sql("UPDATE users SET email = 'Ada@Example.org' WHERE id = '" + to_string(ada) + "'");
    auto token = add(ada, purpose::verify_email);
    for (int looks = 0; looks < 2; ++looks) {
        auto found = find(token, purpose::verify_email);
        BOOST_REQUIRE(found);
        BOOST_TEST((found->user_id == ada));
        BOOST_TEST(found->email == "Ada@Example.org");
    }
    BOOST_TEST(!is_valid(new_digest(), purpose::verify_email));
}

BOOST_FIXTURE_TEST_CASE(a_token_is_consumed_once, token_fixture)
{
    auto token = add(ada, purpose::reset_password);
    BOOST_TEST(consume(token, purpose::reset_password));
    BOOST_TEST(!is_valid(token, purpose::reset_password));
    BOOST_TEST(!consume(token, purpose::reset_password));
    BOOST_TEST(!consume(new_digest(), purpose::reset_password));
}

BOOST_FIXTURE_TEST_CASE(a_token_is_valid_for_its_purpose_only, token_fixture)
{
    auto token = add(ada, purpose::verify_email);
    for (auto other : {purpose::reset_password, purpose::change_email}) {
        BOOST_TEST(!is_valid(token, other));
        BOOST_TEST(!consume(token, other));
    }
    BOOST_TEST(consume(token, purpose::verify_email));
}

BOOST_FIXTURE_TEST_CASE(a_token_for_a_previous_address_is_invalid, token_fixture)
{
    auto reset = add(ada, purpose::reset_password, 1h, "former@example.org");
    BOOST_TEST(!is_valid(reset, purpose::reset_password));
    BOOST_TEST(!consume(reset, purpose::reset_password));
    auto change = add(ada, purpose::change_email, 1h, "next@example.org");
    BOOST_TEST(find(change, purpose::change_email).value().email == "next@example.org");
}

BOOST_FIXTURE_TEST_CASE(an_expired_token_is_invalid, token_fixture)
{
    auto token = add(ada, purpose::verify_email, -1s);
    BOOST_TEST(!is_valid(token, purpose::verify_email));
    BOOST_TEST(!consume(token, purpose::verify_email));
}

BOOST_FIXTURE_TEST_CASE(a_new_token_replaces_the_old_one_of_its_purpose, token_fixture)
{
    auto older = add(ada, purpose::verify_email), reset = add(ada, purpose::reset_password);
    auto bobs = add(bob, purpose::verify_email);
    auto newer = add(ada, purpose::verify_email, 2h);
    BOOST_TEST(!is_valid(older, purpose::verify_email));
    BOOST_TEST(!consume(older, purpose::verify_email));
    BOOST_TEST(is_valid(newer, purpose::verify_email));
    BOOST_TEST(is_valid(reset, purpose::reset_password));
    BOOST_TEST(is_valid(bobs, purpose::verify_email));

    data.sql("UPDATE one_time_tokens SET expires_at = now() - interval '1s'");
    BOOST_TEST(consume(add(ada, purpose::verify_email), purpose::verify_email)); // replaces an expired one
}

BOOST_FIXTURE_TEST_CASE(tokens_are_revoked_by_purpose_or_all, token_fixture)
{
    auto verify = add(ada, purpose::verify_email), reset = add(ada, purpose::reset_password),
         change = add(ada, purpose::change_email), bobs = add(bob, purpose::reset_password);
    commit([&](db::batch& work) { db::one_time_tokens::add_revoke(work, ada, purpose::reset_password); });
    BOOST_TEST(!is_valid(reset, purpose::reset_password));
    BOOST_TEST(is_valid(verify, purpose::verify_email));
    BOOST_TEST(is_valid(change, purpose::change_email));
    commit([&](db::batch& work) { db::one_time_tokens::add_revoke(work, ada); });
    BOOST_TEST(!is_valid(verify, purpose::verify_email));
    BOOST_TEST(!is_valid(change, purpose::change_email));
    BOOST_TEST(is_valid(bobs, purpose::reset_password));
}

BOOST_FIXTURE_TEST_CASE(of_two_concurrent_uses_one_fails, token_fixture)
{
    auto token = add(ada, purpose::reset_password);
    support::transaction concurrent(data.conninfo());
    concurrent.sql(consume_sql(token));
    auto consume = [&] {
        commit(
            [&](db::batch& work) { db::one_time_tokens::add_consume(work, token, purpose::reset_password); });
    };
    BOOST_TEST(concurrent.commit_when_blocking(
        [&] { BOOST_CHECK_EXCEPTION(consume(), db::failure, db::one_time_tokens::was_invalid); }));
}

BOOST_FIXTURE_TEST_CASE(a_rollback_leaves_the_token_valid, token_fixture)
{
    auto token = add(ada, purpose::reset_password);
    {
        support::transaction failed(data.conninfo());
        failed.sql(consume_sql(token));
    }
    BOOST_TEST(consume(token, purpose::reset_password));
}

BOOST_FIXTURE_TEST_CASE(of_many_concurrent_uses_one_succeeds, token_fixture)
{
    auto token = add(ada, purpose::reset_password);
    db::pool other{one.io, db::test::core::pipeline_settings(data), 2};
    int won = 0, lost = 0;
    auto attempt = [&](db::pool& by) -> db::awaitable<void> {
        db::batch work;
        db::one_time_tokens::add_consume(work, token, purpose::reset_password);
        try {
            co_await by.run(std::move(work));
            ++won;
        } catch (const db::failure& e) {
            lost += db::one_time_tokens::was_invalid(e);
        }
    };
    for (int i = 0; i < 4; ++i) {
        boost::asio::co_spawn(one.io, attempt(one.db), boost::asio::detached);
        boost::asio::co_spawn(one.io, attempt(other), boost::asio::detached);
    }
    auto until = std::chrono::steady_clock::now() + 20s;
    one.io.restart();
    while (won + lost < 8 && one.io.run_one_until(until) > 0)
        ;
    BOOST_TEST(won == 1);
    BOOST_TEST(lost == 7);
}

BOOST_FIXTURE_TEST_CASE(tokens_are_deleted_with_their_user, token_fixture)
{
    add(bob, purpose::verify_email);
    data.sql("DELETE FROM users WHERE id = '" + to_string(bob) + "'");
    BOOST_TEST(data.sql("SELECT count(*) FROM one_time_tokens") == "0");
}

BOOST_AUTO_TEST_SUITE_END()
