#include "schemas/usage.hpp"

#include "schemas/engine/timestamp.hpp"

namespace schemas {

std::optional<calendar_day> calendar_day::read(std::string_view in, const path& at, validation_errors& errors)
{
    constexpr std::size_t size = 10;
    auto midnight = in.size() == size ? parse_timestamp(std::string(in) + "T00:00:00Z") : std::nullopt;
    if (!midnight) {
        errors.add(at, "date_parsing", "Input should be a day, such as 2026-11-30");
        return std::nullopt;
    }
    return calendar_day{std::chrono::floor<std::chrono::days>(*midnight), std::string(in)};
}

boost::json::object calendar_day::openapi()
{
    return {{"type", "string"}, {"format", "date"}};
}

} // namespace schemas
