#include "handlers/access/client_address.hpp"
#include "handlers/http/problem.hpp"
#include "server/http/connection.hpp"
#include "server/http/response_writer.hpp"
#include "server/log.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>

#include <exception>
#include <string>
#include <utility>

namespace server {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

/// Holds the connection, its socket and its buffers in one frame.
handlers::awaitable<void> run_connection(connection_registry& registry, tcp_socket socket,
                                         asio::ip::address peer, connection_limiter::place place)
{
    http_connection connection(registry, std::move(socket), std::move(peer), std::move(place));
    try {
        co_await connection.run();
    } catch (const std::exception& e) {
        log_line(log_level::error, "connection failed").add("cause", e.what());
    }
}

/// Send a 503 as far as the socket takes it, and close the socket. A client that awaits a handshake would
/// understand no response.
void refuse_connection(connection_registry& registry, tcp_socket socket)
{
    ++registry.connections_refused;
    if (registry.tls)
        return;
    auto reply = handlers::to_reply(handlers::problem::of(handlers::codes::overloaded));
    request_id_buffer id_space;
    response_options options;
    options.request_id = registry.next_request_id(id_space);
    options.date = registry.date;
    options.keep_alive = false;
    std::string response;
    write_response(response, reply, options);
    error_code ignored;
    socket.write_some(asio::buffer(response), ignored);
    socket.shutdown(tcp_socket::shutdown_send, ignored);
}

} // namespace

void start_connection(connection_registry& registry, tcp_socket socket)
{
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    auto peer = handlers::plain(socket.remote_endpoint(ignored).address());
    connection_limiter::place place;
    if (registry.limiter) {
        bool is_proxy =
            registry.expects_proxy_header && handlers::is_in(registry.settings.trusted_proxies, peer);
        auto admitted = registry.limiter->admit(peer);
        if (admitted.verdict == connection_limiter::verdict::all_full) {
            if (is_proxy)
                admitted = registry.limiter->admit_provisionally(peer);
            else if (registry.make_room())
                admitted = registry.limiter->admit_one_more(peer);
        }
        if (!admitted.place)
            return refuse_connection(registry, std::move(socket));
        place = std::move(*admitted.place);
    }
    auto executor = socket.get_executor();
    // What run_connection() cannot even log, for lack of memory, ends this connection and no other.
    auto ended = [](const std::exception_ptr&) {};
    asio::co_spawn(executor, run_connection(registry, std::move(socket), std::move(peer), std::move(place)),
                   ended);
}

} // namespace server
