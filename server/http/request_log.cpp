#include "server/http/request_log.hpp"

#include "server/http/traceparent.hpp"
#include "server/log.hpp"

#include <algorithm>
#include <optional>

namespace server {

namespace http = boost::beast::http;

namespace {

constexpr std::size_t max_request_id_size = 128;

log_level level_of(const handlers::reply& reply)
{
    if (reply.status == 503) // database unavailable, or overload
        return log_level::warning;
    if (reply.status >= 500)
        return log_level::error;
    return reply.is_routine ? log_level::debug : log_level::info;
}

} // namespace

bool is_valid_request_id(std::string_view id)
{
    return !id.empty() && id.size() <= max_request_id_size && std::ranges::all_of(id, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == '.';
    });
}

void log_request(const handlers::reply& reply, const handlers::request* request, std::string_view request_id,
                 const boost::asio::ip::address& remote, std::chrono::nanoseconds duration)
{
    auto level = level_of(reply);
    if (!logs(level))
        return;
    log_line line(level, "request");
    line.add("request_id", request_id);
    if (request)
        line.add("method", http::to_string(request->message.method())).add("route", reply.route);
    line.add("status", static_cast<std::int64_t>(reply.status));
    line.add("duration_us", std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
    line.add("client", (request ? request->client : remote).to_string());
    if (auto parent = request ? traceparent::read(request->message) : std::nullopt)
        line.add("trace_id", parent->trace_id).add("parent_id", parent->parent_id);
    if (!reply.cause.empty())
        line.add("cause", reply.cause);
}

} // namespace server
