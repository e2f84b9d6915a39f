#include "bench/load/failure.hpp"
#include "bench/load/process_meter.hpp"
#include "bench/scenarios/parse_words.hpp"
#include "bench/scenarios/scaling.hpp"

#include <boost/test/unit_test.hpp>

BOOST_AUTO_TEST_SUITE(scaling_test)

using bench::test::parse;
using cpus = std::vector<int>;
using counts = std::vector<std::size_t>;

BOOST_AUTO_TEST_CASE(the_numbers_of_threads_double_up_to_all_processors)
{
    BOOST_CHECK(bench::default_cores(1) == counts({1}));
    BOOST_CHECK(bench::default_cores(2) == counts({1, 2}));
    BOOST_CHECK(bench::default_cores(6) == counts({1, 2, 4, 6}));
    BOOST_CHECK(bench::default_cores(8) == counts({1, 2, 4, 8}));
}

BOOST_AUTO_TEST_CASE(the_generator_gets_the_processors_that_the_server_leaves)
{
    const cpus all{0, 1, 2, 3};
    auto one = bench::place(1, all, {}, all);
    BOOST_CHECK(one.server == cpus({0}));
    BOOST_CHECK(one.generator == cpus({1, 2, 3}));
    BOOST_TEST(!one.is_shared);
    auto every = bench::place(4, all, {}, all);
    BOOST_CHECK(every.server == all);
    BOOST_CHECK(every.generator == all);
    BOOST_TEST(every.is_shared);
    auto chosen = bench::place(2, {2, 3}, {0}, all);
    BOOST_CHECK(chosen.server == cpus({2, 3}));
    BOOST_CHECK(chosen.generator == cpus({0}));
    BOOST_TEST(!chosen.is_shared);
    BOOST_TEST(bench::place(2, all, {1}, all).is_shared);
}

BOOST_AUTO_TEST_CASE(lists_of_processors_are_parsed)
{
    BOOST_CHECK(bench::parse_cpus("0") == cpus({0}));
    BOOST_CHECK(bench::parse_cpus("4,0-2,1") == cpus({0, 1, 2, 4}));
    BOOST_TEST(bench::cpu_list({0, 1, 4}) == "0,1,4");
    for (auto wrong : {"a", "0,", "1-", "-1", "2-1", "0-1-2", "0 1", "100000", ",", "1,,2"})
        BOOST_CHECK_THROW(bench::parse_cpus(wrong), bench::failure);
    BOOST_CHECK_THROW(bench::pin_to_cpus(""), bench::failure);
    BOOST_TEST(!bench::allowed_cpus().empty());
}

BOOST_AUTO_TEST_CASE(scale_takes_a_list_of_thread_numbers)
{
    BOOST_CHECK(parse({"scale", "--start-server", "--cores", "1,2,4"}).cores == counts({1, 2, 4}));
    BOOST_TEST(parse({"scale", "--start-server"}).cores.empty());
    BOOST_CHECK_THROW(parse({"scale"}), bench::failure);
    BOOST_CHECK_THROW(parse({"scale", "--start-server", "--svg", "x.svg"}), bench::failure);
    for (auto wrong : {"0", "1,0", "1,,2", "x"})
        BOOST_CHECK_THROW(parse({"scale", "--start-server", "--cores", wrong}), bench::failure);
    BOOST_CHECK_THROW(parse({"verify-key", "--start-server", "--cores", "1"}), bench::failure);
}

BOOST_AUTO_TEST_SUITE_END()
