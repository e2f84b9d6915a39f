// Latencies of the same requests to two servers, and the ratio of their percentiles.
#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <iomanip>
#include <map>
#include <random>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

namespace e2e {

/// A ratio of percentiles, and the interval that contains it with a confidence of 95 %.
struct measured_ratio {
    double value, low, high;

    /// Whether it is above the limit and the difference is not one of chance.
    bool exceeds(double limit) const { return value > limit && low > 1; }
};

class scale_samples {
public:
    /// @param which 0: the small database, 1: the large one
    void add(const std::string& name, std::size_t which, std::chrono::duration<double, std::milli> took)
    {
        samples_[name][which].push_back(took.count());
    }

    void clear() { samples_.clear(); }

    std::map<std::string, measured_ratio> ratios_of_p99() const
    {
        std::map<std::string, measured_ratio> out;
        for (auto& [name, one] : samples_) {
            auto [low, high] = interval(one);
            out[name] = {percentile(one[1], p99) / percentile(one[0], p99), low, high};
        }
        return out;
    }

    /** Times in milliseconds. The interval contains the ratio of the 99th percentiles with a confidence of 95
        % (bootstrap with 2000 resamples). */
    std::string table() const
    {
        std::ostringstream out;
        out << std::fixed << std::setprecision(2);
        out << "                                        n   p50: small  large  ratio   p99: small  large  "
               "ratio  95 % interval\n";
        for (auto& [name, one] : samples_) {
            auto [low, high] = interval(one);
            out << std::left << std::setw(35) << name << std::right << std::setw(6) << one[0].size();
            for (auto p : {0.5, p99}) {
                auto small = percentile(one[0], p), large = percentile(one[1], p);
                out << std::setw(13) << small << std::setw(7) << large << std::setw(7) << large / small;
            }
            out << std::setw(8) << low << " to " << high << "\n";
        }
        return out.str();
    }

private:
    static constexpr double p99 = 0.99;
    using pair_of_samples = std::array<std::vector<double>, 2>;

    /// The nearest rank.
    static double percentile(std::vector<double> values, double p)
    {
        auto rank = static_cast<std::ptrdiff_t>(std::ceil(p * static_cast<double>(values.size()))) - 1;
        std::ranges::nth_element(values, values.begin() + rank);
        return values[static_cast<std::size_t>(rank)];
    }

    /// By bootstrap.
    static std::pair<double, double> interval(const pair_of_samples& measured)
    {
        constexpr int resamples = 2000;
        std::mt19937_64 random(1);
        auto resample = [&](const std::vector<double>& from) {
            std::uniform_int_distribution<std::size_t> pick(0, from.size() - 1);
            std::vector<double> out(from.size());
            for (auto& value : out)
                value = from[pick(random)];
            return percentile(std::move(out), p99);
        };
        std::vector<double> ratios;
        for (int i = 0; i < resamples; ++i)
            ratios.push_back(resample(measured[1]) / resample(measured[0]));
        return {percentile(ratios, 0.025), percentile(ratios, 0.975)};
    }

    std::map<std::string, pair_of_samples> samples_;
};

} // namespace e2e
