#include "bench/report/comparison.hpp"

#include "bench/report/medians.hpp"
#include "bench/report/report.hpp"
#include "bench/report/text.hpp"

namespace bench {

namespace {

constexpr std::array<const char*, 8> headings{"requests/s", "server CPU µs", "p50",   "p90",
                                              "p95",        "p99",           "p99.9", "sent late, p99"};

/// In the order of the headings; times in microseconds, -1 if unknown.
using figures = std::array<double, headings.size()>;

figures figures_of(const measurement& run)
{
    return {run.throughput(),      run.server_cpu_per_request().value_or(-1),
            latency_us(run, 50),   latency_us(run, 90),
            latency_us(run, 95),   latency_us(run, 99),
            latency_us(run, 99.9), lateness_us(run, 99)};
}

figures medians_of(const std::vector<measurement>& runs)
{
    figures out{};
    for (std::size_t column = 0; column < out.size(); ++column)
        out[column] = median_of(runs, [column](auto& run) { return figures_of(run)[column]; });
    return out;
}

std::vector<std::string> row(std::string name, const figures& figures)
{
    std::vector<std::string> out{std::move(name), as_figure(figures[0]),
                                 figures[1] < 0 ? "?" : as_figure(figures[1])};
    for (std::size_t i = 2; i < figures.size(); ++i)
        out.push_back(figures[i] > 0 ? as_time(microseconds(figures[i])) : "–");
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
    return median_of(runs_[variant], [percent](auto& run) { return latency_us(run, percent); });
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
    return bench::as_table(rows) + warnings_of(all());
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
