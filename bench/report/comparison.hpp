// A comparison of two variants measured in alternating rounds, so that a machine that changes its speed
// affects both alike.
#pragma once

#include "bench/load/measure.hpp"
#include "bench/report/plot.hpp"

#include <boost/json.hpp>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace bench {

class comparison {
public:
    comparison(std::string first, std::string second) : names_{std::move(first), std::move(second)} {}

    const std::string& name(std::size_t variant) const { return names_[variant]; }
    void add(std::size_t variant, measurement run) { runs_[variant].push_back(std::move(run)); }

    /// Whether each variant has at least one run.
    bool complete() const { return !runs_[0].empty() && !runs_[1].empty(); }
    std::vector<measurement> all() const;

    /// µs per request
    std::optional<double> median_cpu(std::size_t variant) const;
    /// µs
    double median_latency(std::size_t variant, double percent) const;

    /// A row for each run, then the medians of each variant and their ratio.
    std::string as_text() const;
    boost::json::object as_json(boost::json::object summary) const;

    /// One curve for each variant, over all of its runs.
    std::string as_plot(const std::string& title) const;

private:
    std::array<std::string, 2> names_;
    std::array<std::vector<measurement>, 2> runs_;
};

} // namespace bench
