// The output of a connection: serialization, writing, and the lingering close.
#include "server/http/connection.hpp"
#include "server/http/request_log.hpp"
#include "server/http/response_writer.hpp"

#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include <algorithm>
#include <array>

namespace server {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

/// Bytes that linger() discards at most, or as many as the largest body has.
constexpr std::size_t linger_limit = 4 * 1024 * 1024;
/// A core keeps a response buffer of this size at most.
constexpr std::size_t max_kept_buffer = 64 * 1024;

} // namespace

/// Serialize a reply, and write as much as the socket accepts without waiting. @param request null if it
/// could not be parsed
void http_connection::respond(const handlers::reply& reply, const handlers::request* request)
{
    auto static_body = serialize_response(reply, request);
    write_now(registry_.response, static_body);
}

/// Serialize a reply into the buffer of the core, count it and log it. It is written before another one is
/// serialized. @return what follows the buffer
std::string_view http_connection::serialize_response(const handlers::reply& reply,
                                                     const handlers::request* request)
{
    // Collect the fields of the request and of the connection that the header depends on.
    response_options options;
    request_id_buffer id_space;
    if (request) {
        options.request_id = request->id;
        options.is_head = request->head.method() == http::verb::head;
        options.is_http_1_0 = request->head.version() == 10;
    } else {
        options.request_id = registry_.next_request_id(id_space);
    }
    options.date = registry_.date;
    keep_alive_ = keep_alive_ && !registry_.context.draining;
    options.keep_alive = keep_alive_;

    // Count and log.
    std::chrono::nanoseconds duration{0};
    if (request)
        duration = std::chrono::steady_clock::now() - request_started_;
    if (registry_.metrics)
        registry_.metrics->record(reply.route_index, reply.status, duration);
    registry_.log.record(reply, request, options.request_id, remote_, duration);

    if (registry_.response.capacity() > max_kept_buffer)
        std::string().swap(registry_.response); // an assignment would keep the memory
    registry_.response.clear();
    auto static_body = write_response(registry_.response, reply, options);
    enter(phase::write);
    return static_body;
}

/// Write as much as the socket accepts without waiting, which is nearly always everything. write_rest()
/// writes the remainder. @param static_bytes follow, and are not copied
void http_connection::write_now(std::string_view bytes, std::string_view static_bytes)
{
    auto size = write_some(bytes);
    if (size < bytes.size())
        unwritten_.assign(bytes.substr(size));
    else if (!static_bytes.empty())
        static_bytes.remove_prefix(write_some(static_bytes));
    unwritten_static_ = static_bytes;
}

/// Write what the socket accepts without waiting. @return its size
std::size_t http_connection::write_some(std::string_view bytes)
{
    error_code error;
    auto size = tls_ ? tls_->write(bytes, error)
                     : socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    if (error && error != asio::error::would_block && error != asio::error::try_again)
        keep_alive_ = false;
    return size;
}

/// Write what write_now() has not written. @return whether all is written; else no other bytes may follow
handlers::awaitable<bool> http_connection::write_rest()
{
    error_code error;
    const std::array<std::string_view, 2> parts{unwritten_, unwritten_static_};
    for (auto bytes : parts) {
        while (tls_ && !bytes.empty() && !error) {
            co_await socket_.async_wait(tcp_socket::wait_write,
                                        asio::redirect_error(db::use_awaitable, error));
            if (!error)
                bytes.remove_prefix(tls_->write(bytes, error));
        }
        if (!tls_ && !bytes.empty() && !error)
            co_await asio::async_write(socket_, asio::buffer(bytes.data(), bytes.size()),
                                       asio::redirect_error(db::use_awaitable, error));
    }
    std::string().swap(unwritten_);
    unwritten_static_ = {};
    if (error)
        keep_alive_ = false;
    co_return !error;
}

/** Lingering close: read and discard for a while after the last response. Closing a socket with unread bytes
    resets the connection, and the client might lose the response. */
handlers::awaitable<void> http_connection::linger()
{
    enter(phase::linger);
    error_code error;
    if (tls_)
        tls_->close();
    socket_.shutdown(tcp_socket::shutdown_send, error);
    auto limit = std::max(linger_limit, registry_.routes.largest_body());
    for (std::size_t discarded = 0; !error && !timed_out_ && discarded < limit;) {
        reader_.clear();
        auto space = reader_.prepare(nullptr);
        discarded += co_await socket_.async_read_some(space, asio::redirect_error(db::use_awaitable, error));
    }
}

} // namespace server
