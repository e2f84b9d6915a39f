// Figures over several runs: medians, ranges, and the warnings of all.
#pragma once

#include "bench/load/measure.hpp"

#include <functional>
#include <string>
#include <vector>

namespace bench {

/// Zero if there are none.
double median(std::vector<double> values);

/// A figure of one run.
using figure = std::function<double(const measurement&)>;

double median_of(const std::vector<measurement>& runs, const figure& of);

/// "median (lowest to highest)", or "-" if there are none.
std::string range(const std::vector<double>& values, const std::string& unit);

/// Latency of all kinds of requests, in microseconds.
double latency_us(const measurement& of, double percent);

/// Open loop: how late the generator itself sent, in microseconds.
double lateness_us(const measurement& of, double percent);

/// The warnings of the first run that has some, and how many others have some. Empty, or ends with a newline.
std::string warnings_of(const std::vector<measurement>& runs);

} // namespace bench
