// Tokens that travel by mail: good for one thing, once, for a while.
#include "db/tables/one_time_tokens.hpp"

#include "tests/db/database_fixture.hpp"
#include "tests/support/transaction.hpp"

#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(one_time_tokens)

using db::one_time_tokens::purpose;
using house::new_digest;
using namespace std::chrono_literals;

namespace {

struct mailed : house::fixture {
    db::digest add(const db::uuid& whose, purpose what, std::chrono::microseconds lives = 1h,
                   std::string_view email = "")
    {
        db::one_time_tokens::draft token;
        token.user_id = whose;
        token.purpose = what;
        token.digest = new_digest();
        auto own = data.sql("SELECT email FROM users WHERE id = '" + to_string(whose) + "'");
        token.email = email.empty() ? own : email;
        token.expires_at = house::in(lives);
        commit([&](db::batch& work) { db::one_time_tokens::add_replace(work, token); });
        return token.digest;
    }

    std::optional<db::one_time_tokens::row> find(const db::digest& token, purpose what)
    {
        return run([&] { return db::one_time_tokens::find(one.db, token, what); });
    }

    bool is_good(const db::digest& token, purpose what) { return find(token, what).has_value(); }

    /// Spend it and do something else in the same batch. @return whether both were done
    bool spend(const db::digest& token, purpose what)
    {
        data.sql("UPDATE workspaces SET name = 'Engines'");
        try {
            commit([&](db::batch& work) {
                work.add(rename);
                db::one_time_tokens::add_spend(work, token, what);
            });
        } catch (const db::failure& e) {
            BOOST_TEST(db::one_time_tokens::was_spent(e));
            BOOST_TEST(!e.unavailable());
            BOOST_TEST(data.sql("SELECT name FROM workspaces") == "Engines");
            return false;
        }
        BOOST_TEST(data.sql("SELECT name FROM workspaces") == "Renamed");
        return true;
    }

    std::string spending(const db::digest& token)
    {
        static const char* const digits = "0123456789abcdef";
        std::string hex;
        for (auto byte : token) {
            hex += digits[byte >> 4];
            hex += digits[byte & 15];
        }
        return "SELECT spend_token('\\x" + hex + "', 'reset_password')";
    }

    const db::statement rename{"one_time_tokens_test_rename", "UPDATE workspaces SET name = 'Renamed'"};
};

} // namespace

BOOST_FIXTURE_TEST_CASE(a_token_says_whose_it_is_and_what_address_it_vouches_for, mailed)
{
    data.sql("UPDATE users SET email = 'Ada@Example.org' WHERE id = '" + to_string(ada) + "'");
    auto token = add(ada, purpose::verify_email);
    for (int looks = 0; looks < 2; ++looks) {
        auto found = find(token, purpose::verify_email);
        BOOST_REQUIRE(found);
        BOOST_TEST((found->user_id == ada));
        BOOST_TEST(found->email == "Ada@Example.org");
    }
    BOOST_TEST(!is_good(new_digest(), purpose::verify_email));
}

BOOST_FIXTURE_TEST_CASE(a_token_is_spent_once, mailed)
{
    auto token = add(ada, purpose::reset_password);
    BOOST_TEST(spend(token, purpose::reset_password));
    BOOST_TEST(!is_good(token, purpose::reset_password));
    BOOST_TEST(!spend(token, purpose::reset_password));
    BOOST_TEST(!spend(new_digest(), purpose::reset_password));
}

BOOST_FIXTURE_TEST_CASE(a_token_counts_for_its_purpose_alone, mailed)
{
    auto token = add(ada, purpose::verify_email);
    for (auto other : {purpose::reset_password, purpose::change_email}) {
        BOOST_TEST(!is_good(token, other));
        BOOST_TEST(!spend(token, other));
    }
    BOOST_TEST(spend(token, purpose::verify_email));
}

BOOST_FIXTURE_TEST_CASE(a_token_to_a_former_address_is_none, mailed)
{
    auto reset = add(ada, purpose::reset_password, 1h, "former@example.org");
    BOOST_TEST(!is_good(reset, purpose::reset_password));
    BOOST_TEST(!spend(reset, purpose::reset_password));
    auto change = add(ada, purpose::change_email, 1h, "next@example.org");
    BOOST_TEST(find(change, purpose::change_email).value().email == "next@example.org");
}

BOOST_FIXTURE_TEST_CASE(an_expired_token_is_none, mailed)
{
    auto token = add(ada, purpose::verify_email, -1s);
    BOOST_TEST(!is_good(token, purpose::verify_email));
    BOOST_TEST(!spend(token, purpose::verify_email));
}

BOOST_FIXTURE_TEST_CASE(the_newest_takes_the_place_of_the_older_of_its_purpose, mailed)
{
    auto older = add(ada, purpose::verify_email), reset = add(ada, purpose::reset_password);
    auto bobs = add(bob, purpose::verify_email);
    auto newer = add(ada, purpose::verify_email, 2h);
    BOOST_TEST(!is_good(older, purpose::verify_email));
    BOOST_TEST(!spend(older, purpose::verify_email));
    BOOST_TEST(is_good(newer, purpose::verify_email));
    BOOST_TEST(is_good(reset, purpose::reset_password));
    BOOST_TEST(is_good(bobs, purpose::verify_email));

    data.sql("UPDATE one_time_tokens SET expires_at = now() - interval '1s'");
    BOOST_TEST(
        spend(add(ada, purpose::verify_email), purpose::verify_email)); // in the place of an expired one
}

BOOST_FIXTURE_TEST_CASE(tokens_can_be_voided_by_purpose_or_all, mailed)
{
    auto verify = add(ada, purpose::verify_email), reset = add(ada, purpose::reset_password),
         change = add(ada, purpose::change_email), bobs = add(bob, purpose::reset_password);
    commit([&](db::batch& work) { db::one_time_tokens::add_void(work, ada, purpose::reset_password); });
    BOOST_TEST(!is_good(reset, purpose::reset_password));
    BOOST_TEST(is_good(verify, purpose::verify_email));
    BOOST_TEST(is_good(change, purpose::change_email));
    commit([&](db::batch& work) { db::one_time_tokens::add_void(work, ada); });
    BOOST_TEST(!is_good(verify, purpose::verify_email));
    BOOST_TEST(!is_good(change, purpose::change_email));
    BOOST_TEST(is_good(bobs, purpose::reset_password));
}

BOOST_FIXTURE_TEST_CASE(of_two_that_spend_it_at_the_same_time_one_wins, mailed)
{
    auto token = add(ada, purpose::reset_password);
    support::transaction rival(data.conninfo());
    rival.sql(spending(token));
    auto waited = rival.commit_when_waited_for();
    data.sql("UPDATE workspaces SET name = 'Engines'");
    BOOST_CHECK_EXCEPTION(commit([&](db::batch& work) {
                              db::one_time_tokens::add_spend(work, token, purpose::reset_password);
                          }),
                          db::failure, db::one_time_tokens::was_spent);
    BOOST_TEST(waited.get());
}

BOOST_FIXTURE_TEST_CASE(what_fails_after_it_was_spent_leaves_it_good, mailed)
{
    auto token = add(ada, purpose::reset_password);
    {
        support::transaction failed(data.conninfo());
        failed.sql(spending(token));
    }
    BOOST_TEST(spend(token, purpose::reset_password));
}

BOOST_FIXTURE_TEST_CASE(of_many_at_the_same_time_one_wins, mailed)
{
    auto token = add(ada, purpose::reset_password);
    db::pool other{one.io, house::core::reach(data), 2};
    int won = 0, lost = 0;
    auto attempt = [&](db::pool& by) -> db::awaitable<void> {
        db::batch work;
        db::one_time_tokens::add_spend(work, token, purpose::reset_password);
        try {
            co_await by.run(std::move(work));
            ++won;
        } catch (const db::failure& e) {
            lost += db::one_time_tokens::was_spent(e);
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

BOOST_FIXTURE_TEST_CASE(tokens_go_with_their_person, mailed)
{
    add(bob, purpose::verify_email);
    data.sql("DELETE FROM users WHERE id = '" + to_string(bob) + "'");
    BOOST_TEST(data.sql("SELECT count(*) FROM one_time_tokens") == "0");
}

BOOST_AUTO_TEST_SUITE_END()
