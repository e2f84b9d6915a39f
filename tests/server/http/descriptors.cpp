#include "server/http/descriptors.hpp"

#include <boost/test/unit_test.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <cerrno>
#include <vector>

namespace {

boost::system::error_code system_error(int number)
{
    return {number, boost::system::system_category()};
}

} // namespace

BOOST_AUTO_TEST_SUITE(descriptors)

BOOST_AUTO_TEST_CASE(shortages_are_no_errors_of_a_client)
{
    for (int number : {EMFILE, ENFILE, ENOBUFS, ENOMEM, EINVAL, EBADF, 9999})
        BOOST_TEST(!server::is_error_of_one_client(system_error(number)), number);
    for (int number : {ECONNABORTED, EPROTO, EHOSTUNREACH, ENETDOWN, EPERM})
        BOOST_TEST(server::is_error_of_one_client(system_error(number)), number);
}

BOOST_AUTO_TEST_CASE(the_reserve_begins_below_the_limit)
{
    rlimit before{};
    BOOST_REQUIRE(getrlimit(RLIMIT_NOFILE, &before) == 0);
    rlimit low = before;
    low.rlim_cur = 200;
    BOOST_REQUIRE(setrlimit(RLIMIT_NOFILE, &low) == 0);
    server::descriptor_reserve reserve(20), large(1000);
    std::vector<int> opened;
    while (!reserve.is_reached(STDERR_FILENO) && opened.size() < 200)
        opened.push_back(dup(STDERR_FILENO));
    auto last = opened.empty() ? -1 : opened.back();
    bool is_large_reached = large.is_reached(STDERR_FILENO);
    while (opened.size() > 1) {
        close(opened.back());
        opened.pop_back();
    }
    bool is_reached_again = reserve.is_reached(STDERR_FILENO);
    if (!opened.empty())
        close(opened.front());
    setrlimit(RLIMIT_NOFILE, &before);
    BOOST_TEST(last == 179);
    BOOST_TEST(is_large_reached);
    BOOST_TEST(!is_reached_again);
    BOOST_TEST(reserve.is_near(179));
    BOOST_TEST(!reserve.is_near(178));
    BOOST_TEST(large.is_near(149)); // a quarter of the limit
}

BOOST_AUTO_TEST_SUITE_END()
