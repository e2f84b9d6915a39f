// Questions that come at the same time, without a database: who travels with whom.
#include "db/principals/batch_loader.hpp"

#include "tests/db/database_fixture.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/test/unit_test.hpp>

#include <map>
#include <stdexcept>
#include <string>

using namespace std::chrono_literals;

namespace {

/// A database that takes two milliseconds, knows every digest, and can be made to fail.
struct desk {
    explicit desk(db::gatherer::limits most = {}) : all(io, most, stamp, ask_all(), keep()) {}

    db::gatherer::ask_all ask_all()
    {
        return [this](std::vector<db::credential_question> asked) { return answer(this, std::move(asked)); };
    }

    db::gatherer::keep keep()
    {
        return
            [this](const db::digest& key, const db::principal_ref&, std::uint64_t when) { kept[key] = when; };
    }

    static db::awaitable<db::gatherer::answers> answer(desk* self, std::vector<db::credential_question> asked)
    {
        self->statements.push_back(asked.size());
        self->most_at_once = std::max(self->most_at_once, ++self->at_once);
        db::steady_timer timer(self->io.get_executor(), 2ms);
        co_await timer.async_wait(db::use_awaitable);
        --self->at_once;
        if (self->fails)
            throw std::runtime_error("away");
        db::gatherer::answers out;
        for (auto& each : asked) {
            auto who = new db::principal;
            who->digest = each.digest;
            out.emplace_back(who);
        }
        co_return out;
    }

    /// Ask, and count how it ends.
    void ask(const db::digest& key, bool may_join_sent = true)
    {
        boost::asio::co_spawn(io, wait_for(this, key, may_join_sent), boost::asio::detached);
    }

    static db::awaitable<void> wait_for(desk* self, db::digest key, bool may_join_sent)
    {
        db::credential_question what;
        what.digest = key;
        try {
            auto who = co_await self->all.load(what, may_join_sent);
            ++(who && who->digest == key ? self->right : self->wrong);
        } catch (const std::runtime_error&) {
            ++self->failed;
        }
    }

    void run_until_sent()
    {
        while (statements.empty())
            io.run_one();
    }

    void ask_for_others(int count)
    {
        for (int i = 0; i < count; ++i)
            ask(house::new_digest());
    }

    boost::asio::io_context io{1};
    std::uint64_t stamp = 0;
    std::vector<std::size_t> statements;
    std::size_t at_once = 0, most_at_once = 0;
    std::map<db::digest, std::uint64_t> kept;
    bool fails = false;
    int right = 0, wrong = 0, failed = 0;
    db::gatherer all;
};

} // namespace

BOOST_AUTO_TEST_SUITE(batch_loader)

BOOST_AUTO_TEST_CASE(what_comes_at_once_is_shared_out_to_the_statements_there_may_be)
{
    desk here;
    here.ask_for_others(64);
    here.io.run();
    BOOST_TEST(here.statements == (std::vector<std::size_t>{32, 32}), boost::test_tools::per_element());
    BOOST_TEST(here.right == 64);
    BOOST_TEST(here.kept.size() == 64u);
}

BOOST_AUTO_TEST_CASE(a_few_are_not_worth_two_statements)
{
    desk here;
    here.ask_for_others(12);
    here.io.run();
    BOOST_TEST(here.statements == std::vector<std::size_t>{12}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(no_statement_is_too_large_and_no_more_are_under_way_than_may_be)
{
    desk here({.per_statement = 50, .in_flight = 3});
    here.ask_for_others(1000);
    here.io.run();
    BOOST_TEST(here.right == 1000);
    BOOST_TEST(std::ranges::max(here.statements) == 50u);
    BOOST_TEST(here.most_at_once == 3u);
}

BOOST_AUTO_TEST_CASE(who_asks_for_the_same_joins)
{
    desk here;
    auto key = house::new_digest();
    here.ask(key);
    here.run_until_sent();
    here.ask(key);
    here.io.run();
    BOOST_TEST(here.right == 2);
    BOOST_TEST(here.statements.size() == 1u);
}

BOOST_AUTO_TEST_CASE(who_may_not_join_what_was_sent_asks_again)
{
    desk here;
    auto key = house::new_digest();
    here.ask(key);
    here.run_until_sent();
    here.ask(key, false);
    here.ask(key, false); // this one joins the second, which waits
    here.io.run();
    BOOST_TEST(here.right == 3);
    BOOST_TEST(here.statements.size() == 2u);
}

BOOST_AUTO_TEST_CASE(after_a_parting_nobody_joins_what_was_sent_and_its_answer_tells_when_it_was_asked)
{
    desk here;
    auto key = house::new_digest(), later = house::new_digest();
    here.ask(key);
    here.run_until_sent();
    ++here.stamp;
    here.all.part();
    here.ask(later);
    here.ask(later);
    while (!here.kept.contains(key))
        here.io.run_one();
    BOOST_TEST(here.kept.at(key) == 0u);
    here.ask(key);
    here.io.run();
    BOOST_TEST(here.right == 4);
    BOOST_TEST(here.kept.at(key) == 1u);
    BOOST_TEST(here.kept.at(later) == 1u);
    BOOST_TEST(here.statements.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_failure_reaches_all_who_wait_and_is_not_kept)
{
    desk here;
    here.fails = true;
    auto key = house::new_digest();
    here.ask(key);
    here.ask(key);
    here.ask_for_others(3);
    here.io.run();
    BOOST_TEST(here.failed == 5);
    BOOST_TEST(here.kept.empty());

    here.fails = false; // and the next is asked anew
    here.io.restart();
    here.ask(key);
    here.io.run();
    BOOST_TEST(here.right == 1);
}

BOOST_AUTO_TEST_SUITE_END()
