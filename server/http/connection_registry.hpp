// Registry of one core's connections: shared dependencies, deadlines, and the sweep that enforces them.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/router.hpp"
#include "handlers/metrics/request_metrics.hpp"
#include "server/config.hpp"
#include "server/http/request_log.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <string>
#include <string_view>

namespace server {

using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, db::executor>;
using tcp_acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, db::executor>;

/// Space for a generated request id: two numbers in base 36.
using request_id_buffer = std::array<char, 40>;

struct connection_registry;

/// A connection as its registry sees it: socket, phase and deadline. Base of http_connection.
class tracked_connection : public boost::intrusive::list_base_hook<> {
public:
    tracked_connection(const tracked_connection&) = delete;
    tracked_connection& operator=(const tracked_connection&) = delete;

    /** Whether the connection waits for a request. A new connection counts as busy for its first second: its
        first request may be in transit. */
    bool is_idle() const;

    /// Close if the deadline of the current phase has passed. Called by the sweep.
    void close_if_expired();

    /// Cancel the pending socket operation; the connection's coroutine then ends.
    void close();

protected:
    enum class phase : std::uint8_t { idle, header, body, handling, write, linger };

    tracked_connection(connection_registry& registry, tcp_socket socket);
    ~tracked_connection();

    /// Change the phase and set its deadline.
    void enter(phase next);

    connection_registry& registry_;
    tcp_socket socket_;
    phase phase_ = phase::idle;
    /// Whether the first response has been written.
    bool answered_ = false;
    /// Set by close(): the deadline, or the drain limit, has passed.
    bool timed_out_ = false;

private:
    /// In ticks; 0: none.
    std::int64_t deadline_ = 0;
    /// In ticks.
    std::int64_t opened_;
};

/** State shared by the connections of one core: access to the handlers, a coarse clock, and the list through
    which the core reaches every connection. Used by the core's thread alone. */
struct connection_registry {
    connection_registry(handlers::context& context, const handlers::router& routes, const config& settings);

    using list = boost::intrusive::list<tracked_connection, boost::intrusive::constant_time_size<true>>;

    handlers::context& context;
    const handlers::router& routes;
    const config& settings;
    /// Of this core; null: requests are not counted.
    handlers::request_metrics* metrics = nullptr;
    request_log log;
    /// Value of the Date header, renewed by the sweep.
    std::string date;
    /// Number of sweeps so far: the coarse clock.
    std::int64_t tick = 0;
    /// Connections in phase::handling.
    std::size_t requests_in_flight = 0;
    /// Requests with a body above the default limit, being read or handled.
    std::size_t large_bodies = 0;
    list connections;

    static constexpr std::chrono::milliseconds tick_length{500};

    /// Concurrent large bodies at most: they are read before authentication and must not exhaust memory.
    static constexpr std::size_t max_large_bodies = 16;

    /// A generated request id: unique across the nodes of a cluster with high probability; not a secret.
    std::string_view next_request_id(request_id_buffer& space);

    /// One tick: renew the date, close expired connections. Cost: one pass over the connections.
    void sweep();

    /// Close every connection that waits for its next request.
    void close_idle();

    /// Close every connection.
    void close_all();

private:
    /// Random, of this process's run of this core.
    std::uint64_t run_id_;
    std::uint64_t requests_ = 0;
};

} // namespace server
