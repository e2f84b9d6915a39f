// One JSON line per event on standard error. Callers pass no secret; nothing here looks for one.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace server {

enum class log_level : std::uint8_t { debug, info, warning, error };

/** Lines below this level are dropped. Set once at start, before other threads exist. */
void set_log_level(log_level least);
bool logs(log_level level);

/** One event being put together. Written, whole and in one system call, when it goes out of scope.

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
    bool wanted_;
    std::string text_;
};

} // namespace server
