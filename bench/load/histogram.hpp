// Latencies, counted so that any percentile can be told afterwards.
#pragma once

#include <chrono>
#include <cstdint>
#include <vector>

namespace bench {

/** Counts durations from 1 ns to 60 s in buckets whose width grows with the value, so that each is known to
    three significant digits (better than 0.1 %). Longer ones count as 60 s. This is the log-linear layout of
    Gil Tene's HdrHistogram: 221 KB, about 5 ns for a record, no allocation after construction. */
class histogram {
public:
    using duration = std::chrono::nanoseconds;
    static constexpr duration longest = std::chrono::seconds(60);

    histogram();

    void record(duration value);
    void merge(const histogram& other);
    void clear();

    std::uint64_t count() const { return count_; }
    duration max() const { return count_ ? max_ : duration::zero(); }
    duration min() const { return count_ ? min_ : duration::zero(); }
    duration mean() const;

    /** The least recorded value that at least `percent` of all values do not exceed (to three digits, never
        above the true maximum). Zero if nothing was recorded. */
    duration percentile(double percent) const;

    struct point {
        double percent;
        duration value;
    };

    /** The percentiles from 0 to 100 in steps that halve as they near 100: what a plot over a logarithmic
        percentile axis needs. It ends where a single value remains above. */
    std::vector<point> curve() const;

private:
    std::vector<std::uint64_t> buckets_;
    std::uint64_t count_ = 0;
    duration sum_{};
    duration max_{};
    duration min_ = longest;
};

} // namespace bench
