// Two ways of running that take turns, so that a machine that speeds up or slows down does so for both.
#pragma once

#include "bench/load/measure.hpp"
#include "bench/report/plot.hpp"

#include <boost/json.hpp>

#include <array>
#include <optional>
#include <string>
#include <vector>

namespace bench {

class sides {
public:
    sides(std::string first, std::string second) : names_{std::move(first), std::move(second)} {}

    const std::string& name(std::size_t side) const { return names_[side]; }
    void add(std::size_t side, measurement run) { runs_[side].push_back(std::move(run)); }

    /** Whether each side has had a turn. */
    bool complete() const { return !runs_[0].empty() && !runs_[1].empty(); }
    std::vector<measurement> all() const;

    std::optional<double> median_cpu(std::size_t side) const;      ///< µs a request
    double median_latency(std::size_t side, double percent) const; ///< µs

    /** A row for each turn, then each side's medians and the ratio of these. */
    std::string as_text() const;
    boost::json::object as_json(boost::json::object summary) const;

    /** All turns of a side as one curve. */
    std::string as_plot(const std::string& title) const;

private:
    std::array<std::string, 2> names_;
    std::array<std::vector<measurement>, 2> runs_;
};

} // namespace bench
