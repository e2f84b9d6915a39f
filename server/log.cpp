#include "server/log.hpp"

#include "schemas/engine/json.hpp"
#include "schemas/engine/schema.hpp"
#include "schemas/engine/utf8.hpp"
#include "server/log_queue.hpp"

#include <chrono>

namespace server {

namespace {

constexpr std::size_t max_value_size = 2048;

log_level minimum_level = log_level::info;

std::string_view name_of(log_level level)
{
    switch (level) {
    case log_level::debug:
        return "debug";
    case log_level::info:
        return "info";
    case log_level::warning:
        return "warning";
    case log_level::error:
        return "error";
    }
    return {};
}

} // namespace

void set_log_level(log_level minimum)
{
    minimum_level = minimum;
}

bool logs(log_level level)
{
    return level >= minimum_level;
}

log_line::log_line(log_level level, std::string_view event) : enabled_(logs(level))
{
    if (!enabled_)
        return;
    text_.reserve(256);
    auto now = std::chrono::time_point_cast<std::chrono::microseconds>(std::chrono::system_clock::now());
    text_ += R"({"at":)";
    schemas::append_json(text_, now);
    text_.append(R"(,"level":")").append(name_of(level)).append(R"(","event":)");
    schemas::write_string(text_, event);
}

log_line::~log_line()
{
    if (!enabled_)
        return;
    text_ += "}\n";
    write_log(text_);
}

log_line& log_line::add(std::string_view name, std::string_view value)
{
    if (!enabled_)
        return *this;
    text_.append(",\"").append(name).append("\":");
    schemas::write_string(text_, schemas::sanitize_text(value, max_value_size));
    return *this;
}

log_line& log_line::add(std::string_view name, std::int64_t value)
{
    if (!enabled_)
        return *this;
    text_.append(",\"").append(name).append("\":");
    schemas::write_integer(text_, value);
    return *this;
}

} // namespace server
