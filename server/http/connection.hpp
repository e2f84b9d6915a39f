// HTTP connection: reads requests, dispatches them to the handlers, writes the responses, in one loop.
#pragma once

#include "handlers/access/forwarding.hpp"
#include "handlers/http/dispatch.hpp"
#include "server/connection_limiter.hpp"
#include "server/http/connection_registry.hpp"
#include "server/http/request_reader.hpp"
#include "server/tls/session.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace server {

/// One HTTP/1.1 connection. Lives in the frame of its own coroutine; see start_connection().
class http_connection : public tracked_connection {
public:
    /// @param peer the address of the socket's other end
    /// @param place its place among the connections that the process admits
    http_connection(connection_registry& registry, tcp_socket socket, boost::asio::ip::address peer,
                    connection_limiter::place place);

    /// Ends TLS with close_notify.
    ~http_connection();

    /** Serve requests one after the other, in their order, until the connection ends.
        @throw std::exception only for errors of the server, such as a lack of memory */
    handlers::awaitable<void> run();

private:
    struct exchange;
    struct end_exchange {
        void operator()(exchange* one) const;
    };

    handlers::awaitable<bool> read_proxy_header();
    handlers::awaitable<bool> shake_hands();
    bool end_handshake(handlers::handshake outcome, std::string_view cause = {});
    handlers::awaitable<bool> read_body(exchange& current);
    handlers::awaitable<bool> answer_with_body(exchange& current, const handlers::request& request,
                                               std::variant<handlers::reply, handlers::pending>& outcome);
    handlers::awaitable<void> refuse(handlers::reply reply, const handlers::request* request);
    handlers::awaitable<void> reject(exchange& current);
    handlers::awaitable<bool> take_place();
    void refuse_at_once();
    handlers::awaitable<void> linger();
    handlers::awaitable<bool> write_rest();

    void hold_memory();
    void release_memory();

    /// Whether the next bytes of the request have to come from the socket: not if TLS has some left.
    bool needs_input() const { return !tls_ || tls_->needs_input(); }

    /** Take bytes received into the space of the reader: as they are, or decrypted.
        @param error of the socket; set at the end of TLS, too
        @return their number, which is often 0 with TLS */
    std::size_t take(boost::asio::mutable_buffer space, std::size_t size, boost::system::error_code& error)
    {
        size = tls_ ? tls_->decrypt(space, size, error) : size;
        reader_.commit(size);
        return size;
    }

    std::optional<handlers::problem> parse_header(exchange& current);
    std::optional<handlers::problem> begin_body(exchange& current);
    std::optional<handlers::problem> parse_body(exchange& current);
    handlers::request start_request(exchange& current);
    boost::asio::ip::address client_of(const handlers::request_head& head) const;
    void warn_of(handlers::forwarding_fault fault) const;
    void respond(const handlers::reply& reply, const handlers::request* request);
    std::string_view serialize_response(const handlers::reply& reply, const handlers::request* request);
    void write_now(std::string_view bytes, std::string_view static_bytes = {});
    std::size_t write_some(std::string_view bytes);
    bool has_unwritten() const { return !unwritten_.empty() || !unwritten_static_.empty(); }

    /// Of the socket, or of the PROXY header: a client, or the proxy in front of it.
    boost::asio::ip::address remote_;
    /// Of the pool, for an exchange and what is received; null while the connection is parked.
    std::byte* block_ = nullptr;
    request_reader reader_;
    /// Null: without TLS, or before it. A branch at each read and write is all that it costs then.
    std::unique_ptr<tls_session> tls_;
    /// What the socket has not taken of a response.
    std::string unwritten_;
    /// After it: what is left of a static body.
    std::string_view unwritten_static_;
    std::chrono::steady_clock::time_point request_started_;
    bool keep_alive_ = true;
};

/// Serve a connection in a coroutine of its own, on the socket's io_context; or close it with 503, if there
/// are too many.
void start_connection(connection_registry& registry, tcp_socket socket);

} // namespace server
