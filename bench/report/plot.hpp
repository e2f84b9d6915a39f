// Latency by percentile, as a picture.
#pragma once

#include "bench/load/histogram.hpp"

#include <string>
#include <vector>

namespace bench {

struct series {
    std::string name;
    histogram latency;
};

/** An SVG document that needs nothing else and follows the reader's light or dark mode. The horizontal axis
    is the logarithm of what lies above a percentile, so that 99, 99.9 and 99.99 have equal room; the vertical
    axis is the logarithm of latency. */
std::string plot(const std::string& title, const std::string& subtitle, const std::vector<series>& all);

} // namespace bench
