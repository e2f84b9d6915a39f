#include "bench/load/histogram.hpp"

#include <algorithm>
#include <bit>
#include <cmath>

namespace bench {

namespace {

// Values below 2048 ns have a bucket each; above, every power of two is split into 1024 buckets.
constexpr std::uint64_t half = 1024;
constexpr int linear_bits = 11;

constexpr std::size_t index_of(std::uint64_t value)
{
    int shift = std::max(0, static_cast<int>(std::bit_width(value)) - linear_bits);
    return static_cast<std::size_t>(shift) * half + static_cast<std::size_t>(value >> shift);
}

constexpr std::uint64_t highest_in(std::size_t index)
{
    if (index < 2 * half)
        return index;
    std::size_t shift = index / half - 1;
    return ((index - shift * half + 1) << shift) - 1;
}

constexpr std::size_t bucket_count =
    index_of(static_cast<std::uint64_t>(histogram::max_duration.count())) + 1;

} // namespace

histogram::histogram() : buckets_(bucket_count) {}

void histogram::record(duration value)
{
    value = std::clamp(value, duration(1), max_duration);
    ++buckets_[index_of(static_cast<std::uint64_t>(value.count()))];
    ++count_;
    sum_ += value;
    max_ = std::max(max_, value);
    min_ = std::min(min_, value);
}

void histogram::merge(const histogram& other)
{
    for (std::size_t i = 0; i < bucket_count; ++i)
        buckets_[i] += other.buckets_[i];
    count_ += other.count_;
    sum_ += other.sum_;
    max_ = std::max(max_, other.max_);
    min_ = std::min(min_, other.min_);
}

void histogram::clear()
{
    std::fill(buckets_.begin(), buckets_.end(), 0);
    count_ = 0;
    sum_ = max_ = duration::zero();
    min_ = max_duration;
}

histogram::duration histogram::mean() const
{
    return count_ ? sum_ / static_cast<std::int64_t>(count_) : duration::zero();
}

histogram::duration histogram::percentile(double percent) const
{
    if (count_ == 0)
        return duration::zero();
    // 99.9 / 100 * 1000 is slightly more than 999 in floating point: it must not select the thousandth value.
    double exact = std::clamp(percent, 0.0, 100.0) / 100 * static_cast<double>(count_);
    auto rank = std::max<std::uint64_t>(1, static_cast<std::uint64_t>(std::ceil(exact - 1e-6)));
    std::uint64_t seen = 0;
    for (std::size_t i = 0; i < bucket_count; ++i) {
        seen += buckets_[i];
        if (seen >= rank)
            return std::min(duration(static_cast<std::int64_t>(highest_in(i))), max_);
    }
    return max_;
}

std::vector<histogram::point> histogram::curve() const
{
    std::vector<point> out;
    if (count_ == 0)
        return out;
    constexpr int steps_per_halving = 8;
    double remaining = 1;
    while (remaining * static_cast<double>(count_) >= 1) {
        for (int step = 0; step < steps_per_halving; ++step) {
            double percent = 100 * (1 - remaining * (1 - step / (2.0 * steps_per_halving)));
            out.push_back({percent, percentile(percent)});
        }
        remaining /= 2;
    }
    out.push_back({100, max_});
    return out;
}

} // namespace bench
