// Writer of the Prometheus text format, version 0.0.4.
#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace handlers {

class prometheus_writer {
public:
    using labels = std::vector<std::pair<std::string_view, std::string>>;

    /// Starts a metric family. @param type counter, gauge or histogram
    void family(std::string_view name, std::string_view type, std::string_view help);

    /// Writes a sample of the current family. Label values must need no escaping.
    template <class T>
        requires std::integral<T> || std::floating_point<T>
    void sample(std::string_view name, const labels& with, T value)
    {
        if constexpr (std::integral<T>)
            line(name, with, std::to_string(value));
        else
            line(name, with, number(value));
    }

    /// Writes a family of one sample without labels.
    template <class T>
    void single(std::string_view name, std::string_view type, std::string_view help, T value)
    {
        family(name, type, help);
        sample(name, {}, value);
    }

    std::string text() && { return std::move(text_); }

    /// The shortest form that round-trips.
    static std::string number(double value);

private:
    void line(std::string_view name, const labels& with, std::string_view value);

    std::string text_;
};

} // namespace handlers
