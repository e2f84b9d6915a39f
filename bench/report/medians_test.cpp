#include "bench/report/comparison.hpp"
#include "bench/report/medians.hpp"

#include <boost/test/unit_test.hpp>

using namespace std::chrono_literals;

namespace {

/// An open loop: all requests took this long, and were sent this late.
bench::measurement run_of(std::chrono::nanoseconds latency, std::chrono::nanoseconds lateness)
{
    bench::measurement out;
    out.kinds = {{"get", 200}};
    out.plan.rate = 1000;
    out.result.seconds = 1;
    out.result.send_delay.record(lateness);
    out.result.kinds.resize(1);
    out.total.expected = 1;
    out.total.statuses[200] = 1;
    out.total.latency.record(latency);
    return out;
}

} // namespace

BOOST_AUTO_TEST_SUITE(medians_test)

BOOST_AUTO_TEST_CASE(the_median_of_values_and_their_range)
{
    BOOST_TEST(bench::median({}) == 0.0);
    BOOST_TEST(bench::median({3, 1, 2}) == 2.0);
    BOOST_TEST(bench::median({4, 1, 3, 2}) == 2.5);
    BOOST_TEST(bench::range({}, " ms") == "-");
    BOOST_TEST(bench::range({3, 1, 2}, " ms") == "2.00 ms (1.00 to 3.00)");
}

BOOST_AUTO_TEST_CASE(latency_and_lateness_are_in_microseconds)
{
    std::vector<bench::measurement> runs{run_of(1ms, 10us), run_of(3ms, 30us), run_of(2ms, 20us)};
    auto is_near = boost::test_tools::tolerance(0.001);
    BOOST_TEST(bench::median_of(runs, [](auto& run) { return bench::latency_us(run, 99); }) == 2000.0,
               is_near);
    BOOST_TEST(bench::median_of(runs, [](auto& run) { return bench::lateness_us(run, 99); }) == 20.0,
               is_near);
}

BOOST_AUTO_TEST_CASE(a_comparison_shows_how_late_the_generator_sent)
{
    bench::comparison result("alone", "logins");
    result.add(0, run_of(1ms, 10us));
    result.add(1, run_of(2ms, 750us));
    auto text = result.as_text();
    BOOST_TEST(text.find("sent late, p99") != std::string::npos, text);
    BOOST_TEST(text.find("750 µs") != std::string::npos, text);
}

BOOST_AUTO_TEST_CASE(warnings_that_repeat_are_counted)
{
    BOOST_TEST(bench::warnings_of({run_of(1ms, 10us)}).empty());
    auto text = bench::warnings_of({run_of(1ms, 2ms), run_of(1ms, 2ms)});
    BOOST_TEST(text.find("by sending late") != std::string::npos, text);
    BOOST_TEST(text.find("2 of the 2 runs") != std::string::npos, text);
}

BOOST_AUTO_TEST_SUITE_END()
