#include "bench/report/comparison.hpp"

#include "bench/report/report.hpp"
#include "bench/report/text.hpp"

#include <algorithm>

namespace bench {

namespace {

double median(std::vector<double> values)
{
    std::sort(values.begin(), values.end());
    auto middle = values.size() / 2;
    return values.size() % 2 ? values[middle] : (values[middle - 1] + values[middle]) / 2;
}

constexpr std::array<const char*, 6> headings{"requests/s", "server CPU µs", "p50", "p90", "p99", "p99.9"};

/// The figures of one run, in the order of the headings; latencies in nanoseconds, -1 if unknown.
std::array<double, 6> figures_of(const measurement& run)
{
    auto latency = [&](double percent) {
        return static_cast<double>(run.total.latency.percentile(percent).count());
    };
    return {run.throughput(), run.server_cpu_per_request().value_or(-1),
            latency(50),      latency(90),
            latency(99),      latency(99.9)};
}

std::array<double, 6> medians_of(const std::vector<measurement>& runs)
{
    std::array<double, 6> out{};
    for (std::size_t column = 0; column < out.size(); ++column) {
        std::vector<double> values;
        for (auto& run : runs)
            values.push_back(figures_of(run)[column]);
        out[column] = median(values);
    }
    return out;
}

std::string time_of(double nanoseconds)
{
    return as_time(std::chrono::nanoseconds(static_cast<std::int64_t>(nanoseconds)));
}

std::vector<std::string> row(std::string name, const std::array<double, 6>& figures)
{
    std::vector<std::string> out{std::move(name), as_figure(figures[0]),
                                 figures[1] < 0 ? "?" : as_figure(figures[1])};
    for (std::size_t i = 2; i < figures.size(); ++i)
        out.push_back(figures[i] > 0 ? time_of(figures[i]) : "–");
    out.emplace_back(); // as_table() left-aligns the last column, and these are numbers
    return out;
}

} // namespace

std::vector<measurement> comparison::all() const
{
    auto out = runs_[0];
    out.insert(out.end(), runs_[1].begin(), runs_[1].end());
    return out;
}

std::optional<double> comparison::median_cpu(std::size_t variant) const
{
    auto value = medians_of(runs_[variant])[1];
    return value < 0 ? std::nullopt : std::optional(value);
}

double comparison::median_latency(std::size_t variant, double percent) const
{
    std::vector<double> values;
    for (auto& run : runs_[variant])
        values.push_back(static_cast<double>(run.total.latency.percentile(percent).count()) / 1e3);
    return median(values);
}

std::string comparison::as_text() const
{
    std::vector<std::vector<std::string>> rows{{""}};
    rows[0].insert(rows[0].end(), headings.begin(), headings.end());
    rows[0].emplace_back();
    for (std::size_t round = 0; round < runs_[0].size(); ++round)
        for (std::size_t variant = 0; variant < 2; ++variant)
            if (round < runs_[variant].size())
                rows.push_back(row(names_[variant] + " " + std::to_string(round + 1),
                                   figures_of(runs_[variant][round])));
    if (runs_[0].size() > 1)
        for (std::size_t variant = 0; variant < 2; ++variant)
            rows.push_back(row(names_[variant] + ", median", medians_of(runs_[variant])));
    std::vector<std::string> ratios{names_[0] + " / " + names_[1]};
    auto first = medians_of(runs_[0]), second = medians_of(runs_[1]);
    for (std::size_t i = 0; i < first.size(); ++i)
        ratios.push_back(first[i] > 0 && second[i] > 0 ? as_figure(first[i] / second[i]) : "?");
    ratios.emplace_back();
    rows.push_back(std::move(ratios));
    auto out = bench::as_table(rows);
    std::size_t with_warnings = 0;
    for (auto& run : all()) {
        auto warnings = run.warnings();
        for (auto& warning : warnings)
            if (with_warnings == 0)
                out += "\n" + warning + "\n";
        with_warnings += warnings.empty() ? 0 : 1;
    }
    if (with_warnings > 1)
        out += "Similar warnings apply to " + std::to_string(with_warnings) + " of the " +
               std::to_string(all().size()) + " runs.\n";
    return out;
}

boost::json::object comparison::as_json(boost::json::object summary) const
{
    boost::json::object out{{"summary", std::move(summary)}};
    for (std::size_t variant = 0; variant < 2; ++variant) {
        boost::json::array runs;
        for (auto& run : runs_[variant])
            runs.push_back(bench::as_json(run));
        out[names_[variant]] = std::move(runs);
    }
    return out;
}

std::string comparison::as_plot(const std::string& title) const
{
    std::vector<series> curves;
    for (std::size_t variant = 0; variant < 2; ++variant) {
        curves.push_back({names_[variant], {}});
        for (auto& run : runs_[variant])
            curves.back().latency.merge(run.total.latency);
    }
    return plot(title, conditions(runs_[0].front()), curves);
}

} // namespace bench
