#include "bench/load/histogram.hpp"

#include <boost/test/unit_test.hpp>

#include <algorithm>
#include <cmath>
#include <random>

using bench::histogram;
using namespace std::chrono_literals;

namespace {

double ratio(histogram::duration got, histogram::duration wanted)
{
    return static_cast<double>(got.count()) / static_cast<double>(wanted.count());
}

} // namespace

BOOST_AUTO_TEST_SUITE(histogram_test)

BOOST_AUTO_TEST_CASE(an_empty_histogram_returns_zero)
{
    histogram none;
    BOOST_TEST(none.count() == 0u);
    BOOST_TEST(none.percentile(99).count() == 0);
    BOOST_TEST(none.mean().count() == 0);
    BOOST_TEST(none.max().count() == 0);
    BOOST_TEST(none.curve().empty());
}

BOOST_AUTO_TEST_CASE(values_have_three_significant_digits)
{
    for (double value = 1; value < 60e9; value *= 1.0137) {
        histogram one;
        auto exact = histogram::duration(static_cast<std::int64_t>(value));
        one.record(exact);
        one.record(histogram::max_duration); // the bucket's edge, not the maximum, is returned then
        BOOST_TEST(ratio(one.percentile(50), exact) >= 1.0);
        BOOST_TEST(ratio(one.percentile(50), exact) < 1.001);
    }
}

BOOST_AUTO_TEST_CASE(percentiles_match_a_sorted_list)
{
    std::mt19937_64 random(7);
    std::lognormal_distribution<double> latency(12, 1.5);
    std::vector<histogram::duration> all;
    histogram counted;
    for (int i = 0; i < 100'000; ++i) {
        all.emplace_back(static_cast<std::int64_t>(latency(random)) + 1);
        counted.record(all.back());
    }
    std::sort(all.begin(), all.end());
    for (double percent : {1.0, 50.0, 90.0, 99.0, 99.9, 99.99}) {
        auto rank = static_cast<std::size_t>(std::ceil(percent / 100 * 100'000 - 1e-6));
        BOOST_TEST(ratio(counted.percentile(percent), all[rank - 1]) >= 1.0);
        BOOST_TEST(ratio(counted.percentile(percent), all[rank - 1]) < 1.001);
    }
    BOOST_TEST(counted.percentile(100).count() == all.back().count());
    BOOST_TEST(counted.max().count() == all.back().count());
    BOOST_TEST(counted.min().count() == all.front().count());
}

BOOST_AUTO_TEST_CASE(a_percentile_is_the_value_at_its_rank)
{
    histogram thousand;
    for (int i = 1; i <= 1000; ++i)
        thousand.record(histogram::duration(i));
    BOOST_TEST(thousand.percentile(0).count() == 1);
    BOOST_TEST(thousand.percentile(50).count() == 500);
    BOOST_TEST(thousand.percentile(99.9).count() == 999);
    BOOST_TEST(thousand.percentile(100).count() == 1000);
    BOOST_TEST(thousand.mean().count() == 500);
}

BOOST_AUTO_TEST_CASE(merged_parts_equal_the_whole)
{
    histogram left, right, whole;
    for (int i = 1; i < 5000; ++i) {
        auto value = histogram::duration(i * i * 37LL);
        (i % 3 ? left : right).record(value);
        whole.record(value);
    }
    left.merge(right);
    BOOST_TEST(left.count() == whole.count());
    BOOST_TEST(left.max().count() == whole.max().count());
    BOOST_TEST(left.min().count() == whole.min().count());
    BOOST_TEST(left.mean().count() == whole.mean().count());
    for (double percent = 0; percent <= 100; percent += 0.5)
        BOOST_TEST(left.percentile(percent).count() == whole.percentile(percent).count());
}

BOOST_AUTO_TEST_CASE(values_outside_the_range_are_clamped)
{
    histogram odd;
    odd.record(-5s);
    odd.record(2h);
    BOOST_TEST(odd.count() == 2u);
    BOOST_TEST(odd.min().count() == 1);
    BOOST_TEST((odd.max() == histogram::max_duration));
    BOOST_TEST((odd.percentile(100) == histogram::max_duration));
}

BOOST_AUTO_TEST_CASE(clear_resets_everything)
{
    histogram used;
    used.record(3ms);
    used.clear();
    BOOST_TEST(used.count() == 0u);
    BOOST_TEST(used.percentile(50).count() == 0);
    used.record(1us);
    BOOST_TEST(used.min().count() == 1000);
}

BOOST_AUTO_TEST_CASE(the_curve_rises_to_the_maximum)
{
    histogram many;
    for (int i = 1; i <= 100'000; ++i)
        many.record(histogram::duration(i));
    auto curve = many.curve();
    BOOST_TEST(curve.front().percent == 0);
    BOOST_TEST(curve.back().percent == 100);
    BOOST_TEST(curve.back().value.count() == 100'000);
    BOOST_TEST(curve[curve.size() - 2].percent > 99.99);
    for (std::size_t i = 1; i < curve.size(); ++i) {
        BOOST_TEST(curve[i].percent > curve[i - 1].percent);
        BOOST_TEST(curve[i].value.count() >= curve[i - 1].value.count());
    }
}

BOOST_AUTO_TEST_SUITE_END()
