#include "bench/report/plot.hpp"

#include "bench/report/text.hpp"

#include <algorithm>
#include <array>
#include <cmath>

namespace bench {

namespace {

constexpr double width = 880, left = 84, right = 28, top = 84;
constexpr double plot_width = width - left - right, plot_height = 324;
constexpr double legend_top = top + plot_height + 70, legend_row = 22;
constexpr std::size_t legend_columns = 3;

// Readable on white and on black, and distinguishable with color blindness.
constexpr std::array<std::string_view, 6> colors{"#0969da", "#cf5b00", "#1a8f5a",
                                                 "#a24ac4", "#c2344d", "#6e7781"};

constexpr std::string_view style = R"(<style>
  text { font: 13px system-ui, "Segoe UI", "Helvetica Neue", "DejaVu Sans", sans-serif; fill: #1f2328 }
  .title { font-size: 17px; font-weight: 600 }
  .soft { fill: #59636e }
  .paper { fill: #ffffff }
  .grid { stroke: #d1d9e0; stroke-width: 1 }
  .curve { fill: none; stroke-width: 2; stroke-linejoin: round }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc } .soft { fill: #9198a1 } .paper { fill: #0d1117 } .grid { stroke: #3d444d }
  }
</style>
)";

std::string escaped(std::string_view text)
{
    std::string out;
    for (char c : text) {
        if (c == '<')
            out += "&lt;";
        else if (c == '&')
            out += "&amp;";
        else
            out += c;
    }
    return out;
}

std::string at(double number)
{
    return as_fixed(number, 1);
}

std::string label(double x, double y, std::string_view attributes, std::string_view text)
{
    return "<text x=\"" + at(x) + "\" y=\"" + at(y) + "\" " + std::string(attributes) + ">" + escaped(text) +
           "</text>\n";
}

std::string grid_line(double x1, double y1, double x2, double y2)
{
    return "<line class=\"grid\" x1=\"" + at(x1) + "\" y1=\"" + at(y1) + "\" x2=\"" + at(x2) + "\" y2=\"" +
           at(y2) + "\"/>\n";
}

/// The position of a percentile on the axis: 0 % at 0, 90 % at 1, 99 % at 2.
double nines(double percent)
{
    return -std::log10(std::max(1 - percent / 100, 1e-9));
}

/// The scales of both axes.
struct scales {
    double nines_shown = 2;
    double lowest = 1e3, highest = 1e6; // ns

    explicit scales(const std::vector<series>& all)
    {
        std::uint64_t most = 100;
        double least = 60e9, greatest = 1e3;
        for (auto& one : all) {
            if (one.latency.count() == 0)
                continue;
            most = std::max(most, one.latency.count());
            least = std::min(least, static_cast<double>(one.latency.min().count()));
            greatest = std::max(greatest, static_cast<double>(one.latency.max().count()));
        }
        nines_shown = std::min(7.0, std::log10(static_cast<double>(most)));
        lowest = round_down(least);
        highest = std::max(round_up(greatest), lowest * 10);
    }

    double x(double percent) const
    {
        return left + plot_width * std::min(nines(percent), nines_shown) / nines_shown;
    }

    double y(double nanoseconds) const
    {
        auto part = std::log(std::max(nanoseconds, lowest) / lowest) / std::log(highest / lowest);
        return top + plot_height * (1 - part);
    }

    /// Down to 1, 2 or 5 times a power of ten.
    static double round_down(double value)
    {
        double unit = std::pow(10, std::floor(std::log10(value)));
        return value >= 5 * unit ? 5 * unit : value >= 2 * unit ? 2 * unit : unit;
    }

    static double next(double value)
    {
        double unit = std::pow(10, std::floor(std::log10(value) + 1e-9));
        return value / unit < 1.5 ? 2 * unit : value / unit < 3 ? 5 * unit : 10 * unit;
    }

    static double round_up(double value)
    {
        auto down = round_down(value);
        return down >= value ? down : next(down);
    }
};

std::string tick_text(double nanoseconds)
{
    auto text = [](double number, const char* unit) {
        return as_fixed(number, number < 0.95 ? 1 : 0) + unit;
    };
    if (nanoseconds < 0.95e6)
        return text(nanoseconds / 1e3, " µs");
    return nanoseconds < 0.95e9 ? text(nanoseconds / 1e6, " ms") : text(nanoseconds / 1e9, " s");
}

std::string axes(const scales& scale)
{
    std::string out;
    double decades = std::log10(scale.highest / scale.lowest);
    for (double tick = scale.lowest; tick <= scale.highest * 1.01; tick = scales::next(tick)) {
        double y = scale.y(tick);
        out += grid_line(left, y, width - right, y);
        // With many decades, only the powers of ten get labels.
        bool power_of_ten = std::abs(std::log10(tick) - std::round(std::log10(tick))) < 1e-6;
        if (decades < 4 || power_of_ten)
            out += label(left - 10, y + 4, "text-anchor=\"end\" class=\"soft\"", tick_text(tick));
    }
    double floor = top + plot_height;
    constexpr std::array<std::pair<double, std::string_view>, 10> marks{{{0, "0"},
                                                                         {50, "50"},
                                                                         {75, "75"},
                                                                         {90, "90"},
                                                                         {99, "99"},
                                                                         {99.9, "99.9"},
                                                                         {99.99, "99.99"},
                                                                         {99.999, "99.999"},
                                                                         {99.9999, "99.9999"},
                                                                         {99.99999, "99.99999"}}};
    for (auto [percent, text] : marks) {
        if (nines(percent) > scale.nines_shown + 1e-6)
            break;
        double x = scale.x(percent);
        out += grid_line(x, top, x, floor);
        out += label(x, floor + 20, "text-anchor=\"middle\" class=\"soft\"", text);
    }
    out += label(left + plot_width / 2, floor + 42, "text-anchor=\"middle\" class=\"soft\"",
                 "percentile of requests (%)");
    return out;
}

std::string curve_of(const series& one, const scales& scale, std::string_view color)
{
    // The maximum is drawn at the position of the last request: at 99.9 % of a thousand.
    double last = 100 - 100 / static_cast<double>(std::max<std::uint64_t>(one.latency.count(), 1));
    std::string points;
    for (auto [percent, value] : one.latency.curve())
        points += at(scale.x(std::min(percent, last))) + "," +
                  at(scale.y(static_cast<double>(value.count()))) + " ";
    return "<polyline class=\"curve\" stroke=\"" + std::string(color) + "\" points=\"" + points + "\"/>\n";
}

std::string legend_of(const std::vector<series>& all)
{
    std::string out;
    for (std::size_t i = 0; i < all.size(); ++i) {
        double x = left + plot_width / legend_columns * static_cast<double>(i % legend_columns);
        double y = legend_top + legend_row * static_cast<double>(i / legend_columns);
        out += "<line x1=\"" + at(x) + "\" y1=\"" + at(y - 4) + "\" x2=\"" + at(x + 22) + "\" y2=\"" +
               at(y - 4) + "\" stroke=\"" + std::string(colors[i % colors.size()]) +
               "\" stroke-width=\"3\"/>\n";
        out += label(x + 30, y, "", all[i].name + ", p99 " + as_time(all[i].latency.percentile(99)));
    }
    return out;
}

} // namespace

std::string plot(const std::string& title, const std::string& subtitle, const std::vector<series>& all)
{
    scales scale(all);
    auto rows = (all.size() + legend_columns - 1) / legend_columns;
    double height = legend_top + legend_row * static_cast<double>(rows);
    std::string out = "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 " + at(width) + " " +
                      at(height) + "\" role=\"img\" aria-label=\"Latency by percentile\">\n";
    out += style;
    out += "<rect class=\"paper\" width=\"100%\" height=\"100%\"/>\n";
    out += label(left, 34, "class=\"title\"", title);
    out += label(left, 57, "class=\"soft\"", subtitle);
    out += axes(scale);
    for (std::size_t i = 0; i < all.size(); ++i)
        out += curve_of(all[i], scale, colors[i % colors.size()]);
    return out + legend_of(all) + "</svg>\n";
}

} // namespace bench
