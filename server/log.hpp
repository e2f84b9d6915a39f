// Log: one JSON line per event on standard error. Secrets are not filtered: callers must not pass any.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace server {

enum class log_level : std::uint8_t { debug, info, warning, error };

/// Drop events below this level. Call once at start, before other threads exist.
void set_log_level(log_level minimum);
bool logs(log_level level);

/** Builder of one event. The destructor hands it to the log writer and never waits (server/log_writer.hpp).

    @code
    log_line(log_level::info, "listening").add("address", text);
    @endcode */
class log_line {
public:
    log_line(log_level level, std::string_view event);
    ~log_line();
    log_line(const log_line&) = delete;
    log_line& operator=(const log_line&) = delete;

    log_line& add(std::string_view name, std::string_view value);
    log_line& add(std::string_view name, std::int64_t value);

private:
    bool enabled_;
    std::string text_;
};

} // namespace server
