#include "db/postgres/spawn.hpp"

#include <boost/asio/post.hpp>
#include <boost/test/unit_test.hpp>

#include <stdexcept>

namespace {

db::awaitable<void> fail_later()
{
    co_await boost::asio::post(db::use_awaitable);
    throw std::runtime_error("the reason");
}

db::awaitable<void> end(bool& ended)
{
    co_await boost::asio::post(db::use_awaitable);
    ended = true;
}

} // namespace

BOOST_AUTO_TEST_SUITE(spawn)

BOOST_AUTO_TEST_CASE(an_exception_leaves_the_event_loop)
{
    boost::asio::io_context io(1);
    db::spawn(io.get_executor(), fail_later());
    BOOST_CHECK_EXCEPTION(io.run(), std::runtime_error,
                          [](const auto& e) { return std::string(e.what()) == "the reason"; });
}

BOOST_AUTO_TEST_CASE(an_end_is_only_an_end)
{
    boost::asio::io_context io(1);
    bool ended = false;
    db::spawn(io.get_executor(), end(ended));
    io.run();
    BOOST_TEST(ended);
}

BOOST_AUTO_TEST_SUITE_END()
