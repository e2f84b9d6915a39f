#include "bench/report/medians.hpp"

#include "bench/report/text.hpp"

#include <algorithm>

namespace bench {

double median(std::vector<double> values)
{
    if (values.empty())
        return 0;
    std::ranges::sort(values);
    auto half = values.size() / 2;
    return values.size() % 2 ? values[half] : (values[half - 1] + values[half]) / 2;
}

double median_of(const std::vector<measurement>& runs, const figure& of)
{
    std::vector<double> values;
    for (auto& run : runs)
        values.push_back(of(run));
    return median(std::move(values));
}

std::string range(const std::vector<double>& values, const std::string& unit)
{
    if (values.empty())
        return "-";
    auto [low, high] = std::ranges::minmax(values);
    return as_figure(median(values)) + unit + " (" + as_figure(low) + " to " + as_figure(high) + ")";
}

double latency_us(const measurement& of, double percent)
{
    return static_cast<double>(of.total.latency.percentile(percent).count()) / 1e3;
}

double lateness_us(const measurement& of, double percent)
{
    return static_cast<double>(of.result.send_delay.percentile(percent).count()) / 1e3;
}

std::string warnings_of(const std::vector<measurement>& runs)
{
    std::string out;
    std::size_t with_warnings = 0;
    for (auto& run : runs) {
        auto warnings = run.warnings();
        for (auto& warning : warnings)
            if (with_warnings == 0)
                out += "\n" + warning + "\n";
        with_warnings += warnings.empty() ? 0 : 1;
    }
    if (with_warnings > 1)
        out += "Similar warnings apply to " + std::to_string(with_warnings) + " of the " +
               std::to_string(runs.size()) + " runs.\n";
    return out;
}

} // namespace bench
