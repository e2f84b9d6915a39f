// Batching of concurrent lookups, with a simulated database.
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

/// A simulated database that takes two milliseconds, has every digest, and can be made to fail.
struct loader_fixture {
    explicit loader_fixture(db::batch_loader::limits limits = {})
        : loader(io, limits, stamp, load_function(), store_function())
    {}

    db::batch_loader::load_function load_function()
    {
        return [this](std::vector<db::credential_lookup> asked) { return answer(this, std::move(asked)); };
    }

    db::batch_loader::store_function store_function()
    {
        return [this](const db::digest& key, const db::principal_ref&, std::uint64_t when) {
            stored[key] = when;
        };
    }

    static db::awaitable<db::batch_loader::principal_list> answer(loader_fixture* self,
                                                                  std::vector<db::credential_lookup> asked)
    {
        self->statements.push_back(asked.size());
        self->max_in_flight = std::max(self->max_in_flight, ++self->in_flight);
        db::steady_timer timer(self->io.get_executor(), 2ms);
        co_await timer.async_wait(db::use_awaitable);
        --self->in_flight;
        if (self->fails)
            throw std::runtime_error("unavailable");
        db::batch_loader::principal_list out;
        for (auto& each : asked) {
            auto found = new db::principal;
            found->digest = each.digest;
            out.emplace_back(found);
        }
        co_return out;
    }

    /// Start a lookup, and count its outcome.
    void look_up(const db::digest& key, bool may_join_sent = true)
    {
        boost::asio::co_spawn(io, wait_for(this, key, may_join_sent), boost::asio::detached);
    }

    static db::awaitable<void> wait_for(loader_fixture* self, db::digest key, bool may_join_sent)
    {
        db::credential_lookup wanted;
        wanted.digest = key;
        try {
            auto found = co_await self->loader.load(wanted, may_join_sent);
            ++(found && found->digest == key ? self->right : self->wrong);
        } catch (const std::runtime_error&) {
            ++self->failed;
        }
    }

    void run_until_sent()
    {
        while (statements.empty())
            io.run_one();
    }

    void look_up_others(int count)
    {
        for (int i = 0; i < count; ++i)
            look_up(db::test::new_digest());
    }

    boost::asio::io_context io{1};
    std::uint64_t stamp = 0;
    std::vector<std::size_t> statements;
    std::size_t in_flight = 0, max_in_flight = 0;
    std::map<db::digest, std::uint64_t> stored;
    bool fails = false;
    int right = 0, wrong = 0, failed = 0;
    db::batch_loader loader;
};

} // namespace

BOOST_AUTO_TEST_SUITE(batch_loader)

BOOST_AUTO_TEST_CASE(a_burst_is_divided_among_the_allowed_statements)
{
    loader_fixture here;
    here.look_up_others(64);
    here.io.run();
    BOOST_TEST(here.statements == (std::vector<std::size_t>{32, 32}), boost::test_tools::per_element());
    BOOST_TEST(here.right == 64);
    BOOST_TEST(here.stored.size() == 64u);
}

BOOST_AUTO_TEST_CASE(few_lookups_share_one_statement)
{
    loader_fixture here;
    here.look_up_others(12);
    here.io.run();
    BOOST_TEST(here.statements == std::vector<std::size_t>{12}, boost::test_tools::per_element());
}

BOOST_AUTO_TEST_CASE(statement_size_and_statements_in_flight_are_bounded)
{
    loader_fixture here({.per_statement = 50, .in_flight = 3});
    here.look_up_others(1000);
    here.io.run();
    BOOST_TEST(here.right == 1000);
    BOOST_TEST(std::ranges::max(here.statements) == 50u);
    BOOST_TEST(here.max_in_flight == 3u);
}

BOOST_AUTO_TEST_CASE(lookups_of_one_digest_share_a_query)
{
    loader_fixture here;
    auto key = db::test::new_digest();
    here.look_up(key);
    here.run_until_sent();
    here.look_up(key);
    here.io.run();
    BOOST_TEST(here.right == 2);
    BOOST_TEST(here.statements.size() == 1u);
}

BOOST_AUTO_TEST_CASE(a_lookup_that_must_not_join_a_sent_one_is_queried_again)
{
    loader_fixture here;
    auto key = db::test::new_digest();
    here.look_up(key);
    here.run_until_sent();
    here.look_up(key, false);
    here.look_up(key, false); // joins the second, which is unsent
    here.io.run();
    BOOST_TEST(here.right == 3);
    BOOST_TEST(here.statements.size() == 2u);
}

BOOST_AUTO_TEST_CASE(after_detach_no_lookup_joins_a_sent_one_and_its_result_has_the_old_stamp)
{
    loader_fixture here;
    auto key = db::test::new_digest(), later = db::test::new_digest();
    here.look_up(key);
    here.run_until_sent();
    ++here.stamp;
    here.loader.detach_in_flight();
    here.look_up(later);
    here.look_up(later);
    while (!here.stored.contains(key))
        here.io.run_one();
    BOOST_TEST(here.stored.at(key) == 0u);
    here.look_up(key);
    here.io.run();
    BOOST_TEST(here.right == 4);
    BOOST_TEST(here.stored.at(key) == 1u);
    BOOST_TEST(here.stored.at(later) == 1u);
    BOOST_TEST(here.statements.size() == 3u);
}

BOOST_AUTO_TEST_CASE(a_failure_reaches_every_caller_and_is_not_stored)
{
    loader_fixture here;
    here.fails = true;
    auto key = db::test::new_digest();
    here.look_up(key);
    here.look_up(key);
    here.look_up_others(3);
    here.io.run();
    BOOST_TEST(here.failed == 5);
    BOOST_TEST(here.stored.empty());

    here.fails = false; // the next lookup is queried again
    here.io.restart();
    here.look_up(key);
    here.io.run();
    BOOST_TEST(here.right == 1);
}

BOOST_AUTO_TEST_SUITE_END()
