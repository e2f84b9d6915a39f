#include "server/http/response_writer.hpp"

#include <boost/beast/http/status.hpp>

#include <array>
#include <charconv>
#include <ctime>

namespace server {

namespace {

/// A smaller static body is sent with the header, in one segment or a few.
constexpr std::size_t max_copied_body = 16 * 1024;

void append_number(std::string& out, std::size_t number)
{
    std::array<char, 20> digits;
    auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
    out.append(digits.data(), end);
}

void append_status(std::string& out, unsigned status)
{
    if (status == 200) {
        out += "HTTP/1.1 200 OK\r\n";
        return;
    }
    out += "HTTP/1.1 ";
    append_number(out, status);
    out += ' ';
    out += boost::beast::http::obsolete_reason(static_cast<boost::beast::http::status>(status));
    out += "\r\n";
}

} // namespace

std::string_view write_response(std::string& out, const handlers::reply& reply,
                                const response_options& options)
{
    bool may_have_body = reply.status != 204 && reply.status != 304;
    append_status(out, reply.status);
    out.append("Date: ").append(options.date).append("\r\n");
    if (!reply.content_type.empty())
        out.append("Content-Type: ").append(reply.content_type).append("\r\n");
    if (may_have_body) {
        out += "Content-Length: ";
        append_number(out, reply.body.size() + reply.static_body.size());
        out += "\r\n";
    }
    if (!reply.cache_control.empty())
        out.append("Cache-Control: ").append(reply.cache_control).append("\r\n");
    out += "X-Content-Type-Options: nosniff\r\n"; // no browser runs a body as another type than declared
    out.append("X-Request-Id: ").append(options.request_id).append("\r\n");
    out += reply.headers;
    if (!options.keep_alive)
        out += "Connection: close\r\n";
    else if (options.is_http_1_0)
        out += "Connection: keep-alive\r\n";
    out += "\r\n";
    if (!may_have_body || options.is_head)
        return {};
    out += reply.body;
    if (reply.static_body.size() > max_copied_body)
        return reply.static_body;
    out += reply.static_body;
    return {};
}

std::string http_date()
{
    auto now = std::time(nullptr);
    std::tm utc{};
    gmtime_r(&now, &utc);
    std::array<char, 32> text;
    auto size = std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &utc);
    return {text.data(), size};
}

} // namespace server
