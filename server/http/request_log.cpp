#include "server/http/request_log.hpp"

#include "handlers/access/text.hpp"
#include "server/http/traceparent.hpp"
#include "server/log.hpp"

#include <boost/describe/enum_to_string.hpp>
#include <boost/url/grammar/alnum_chars.hpp>
#include <boost/url/grammar/lut_chars.hpp>

#include <algorithm>
#include <optional>

namespace server {

namespace http = boost::beast::http;
namespace urls = boost::urls;

namespace {

constexpr std::size_t max_request_id_size = 128;
constexpr std::chrono::seconds sample_interval{1};
/// In place of a status: a TLS handshake.
constexpr unsigned no_status = 0;

constexpr auto request_id_chars =
    urls::grammar::lut_chars(urls::grammar::alnum_chars) + urls::grammar::lut_chars("-_.");

/// Refusals cost a client nothing. A 500 is none: its request id is in the log.
bool is_refusal(unsigned status)
{
    return (status >= 400 && status < 500) || status == 503;
}

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
    return !id.empty() && id.size() <= max_request_id_size && handlers::is_only_of(id, request_id_chars);
}

void request_log::record(const handlers::reply& reply, const handlers::request* request,
                         std::string_view request_id, const boost::asio::ip::address& remote,
                         std::chrono::nanoseconds duration)
{
    auto level = level_of(reply);
    if (!logs(level))
        return;
    if (is_refusal(reply.status) && !admits_refusal(reply.route, reply.status, clock::now()))
        return;
    log_line line(level, "request");
    line.add("request_id", request_id);
    if (request)
        line.add("method", http::to_string(request->head.method())).add("route", reply.route);
    line.add("status", static_cast<std::int64_t>(reply.status));
    line.add("duration_us", std::chrono::duration_cast<std::chrono::microseconds>(duration).count());
    line.add("client", (request ? request->client : remote).to_string());
    if (auto parent = request ? traceparent::read(request->head) : std::nullopt)
        line.add("trace_id", parent->trace_id).add("parent_id", parent->parent_id);
    if (!reply.cause.empty())
        line.add("cause", reply.cause);
}

void request_log::record(handlers::handshake outcome, std::string_view cause,
                         const boost::asio::ip::address& remote)
{
    std::string_view name = boost::describe::enum_to_string(outcome, "other");
    if (!logs(log_level::info) || !admits_refusal(name, no_status, clock::now()))
        return;
    log_line line(log_level::info, "TLS handshake refused");
    line.add("reason", name).add("client", remote.to_string());
    if (!cause.empty())
        line.add("cause", cause);
}

bool request_log::admits_refusal(std::string_view route, unsigned status, clock::time_point now)
{
    auto& current = samples_[{route, status}];
    // What is counted already is reported first.
    if (now - current.begin >= sample_interval && current.omitted == 0)
        current = {now};
    bool is_logged = current.omitted == 0 && current.logged < refusals_per_second;
    ++(is_logged ? current.logged : current.omitted);
    return is_logged;
}

std::uint64_t request_log::report_omitted(clock::time_point now)
{
    std::uint64_t sum = 0;
    for (auto& [what, current] : samples_) {
        if (current.omitted == 0 || now - current.begin < sample_interval)
            continue;
        auto count = static_cast<std::int64_t>(current.omitted);
        if (what.second == no_status)
            log_line(log_level::warning, "refused TLS handshakes not logged")
                .add("reason", what.first)
                .add("count", count);
        else
            log_line(log_level::warning, "refused requests not logged")
                .add("route", what.first)
                .add("status", static_cast<std::int64_t>(what.second))
                .add("count", count);
        sum += current.omitted;
        current = {now};
    }
    return sum;
}

} // namespace server
