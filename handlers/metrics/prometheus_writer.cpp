#include "handlers/metrics/prometheus_writer.hpp"

#include <array>
#include <charconv>

namespace handlers {

void prometheus_writer::family(std::string_view name, std::string_view type, std::string_view help)
{
    text_.append("# HELP ").append(name).append(" ").append(help).append("\n");
    text_.append("# TYPE ").append(name).append(" ").append(type).append("\n");
}

std::string prometheus_writer::number(double value)
{
    std::array<char, 32> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value).ptr;
    return {digits.data(), end};
}

void prometheus_writer::line(std::string_view name, const labels& with, std::string_view value)
{
    text_.append(name);
    for (auto& [label, label_value] : with)
        text_.append(&label == &with.front().first ? "{" : ",")
            .append(label)
            .append("=\"")
            .append(label_value)
            .append("\"");
    text_.append(with.empty() ? " " : "} ").append(value).append("\n");
}

} // namespace handlers
