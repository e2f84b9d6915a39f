// An SVG plot of latency by percentile.
#pragma once

#include "bench/load/histogram.hpp"

#include <string>
#include <vector>

namespace bench {

struct series {
    std::string name;
    histogram latency;
};

/** A self-contained SVG document that follows the light or dark mode of the viewer. The horizontal axis is
    the logarithm of the share above a percentile, so that 90, 99 and 99.9 are equally spaced; the vertical
    axis is the logarithm of latency. */
std::string plot(const std::string& title, const std::string& subtitle, const std::vector<series>& all);

} // namespace bench
