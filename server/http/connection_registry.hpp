// Registry of one core's connections: shared dependencies, deadlines, and the sweep that enforces them.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/router.hpp"
#include "handlers/metrics/handshakes.hpp"
#include "handlers/metrics/request_metrics.hpp"
#include "server/config.hpp"
#include "server/connection_limiter.hpp"
#include "server/http/block_pool.hpp"
#include "server/http/request_log.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <chrono>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace server {

using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, db::executor>;
using tcp_acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, db::executor>;

/// Space for a generated request id: 8 bytes as base64url, and a number in base 16.
using request_id_buffer = std::array<char, 40>;

class tls_context;
struct connection_registry;

/// The link of a connection that reads a request body.
struct reads_body;
using body_hook =
    boost::intrusive::list_base_hook<boost::intrusive::tag<reads_body>,
                                     boost::intrusive::link_mode<boost::intrusive::auto_unlink>>;

/// A connection as its registry sees it: socket, phase and deadline. Base of http_connection.
class tracked_connection : public boost::intrusive::list_base_hook<>, public body_hook {
public:
    tracked_connection(const tracked_connection&) = delete;
    tracked_connection& operator=(const tracked_connection&) = delete;

    /** Whether the connection waits for a request. A new connection counts as busy for its first second: its
        first request may be in transit. */
    bool is_idle() const;

    /// Whether the connection has waited for the rest of a request for more than a second.
    bool is_unfinished() const;

    /// When the connection began to wait, in ticks.
    std::int64_t waits_since() const { return phase_began_; }

    /// Its place among the connections of the process.
    const connection_limiter::place& place() const { return place_; }

    /// Memory of the request's body, in bytes, with its share of the buffers.
    std::size_t body_memory() const { return body_memory_; }

    bool has_large_body() const { return body_memory_ > largest_small_body; }

    /// What evicting the body gains: its memory and its age, which after a grace of two seconds counts too.
    std::uint64_t body_cost() const;

    /// End the reading of the body: others need its memory.
    void evict_body();

    /// End without the rest of the request: others need the place.
    void give_way();

    /// Close if the deadline of the current phase has passed. Called by the sweep.
    void close_if_expired();

    /** Let the connection give back the memory for requests, if it has waited for one for some seconds: its
        read is canceled, and its coroutine waits for the next byte without memory to read it into.
        @return whether it is to park */
    bool park_if_idle();

    bool is_parked() const { return is_parked_; }

    /// Cancel the pending socket operation; the connection's coroutine then ends.
    void close();

protected:
    enum class phase : std::uint8_t { idle, header, body, handling, write, linger };

    tracked_connection(connection_registry& registry, tcp_socket socket, connection_limiter::place place);
    ~tracked_connection();

    /// Change the phase and set its deadline.
    void enter(phase next);

    /** Account for bytes of a body that have been received, and extend its deadline: a body has a grace, and
        then has to arrive at the least rate. */
    void add_body_bytes(std::size_t received);

    /// The body is not needed any more.
    void release_body();

    /// Small bodies have a reserve of memory; in bytes, with the overhead.
    static constexpr std::size_t largest_small_body = (64 + 8) * 1024;

    connection_registry& registry_;
    tcp_socket socket_;
    connection_limiter::place place_;
    phase phase_ = phase::idle;
    /// Whether the first response has been written.
    bool answered_ = false;
    /// Set by close(): the deadline, or the drain limit, has passed.
    bool timed_out_ = false;
    /// The pending read may be canceled: nothing of the next request has arrived.
    bool may_park_ = false;
    /// Waits for the next byte without memory.
    bool is_parked_ = false;
    /// Set by evict_body().
    bool is_body_evicted_ = false;
    /// Set by give_way().
    bool gives_way_ = false;

private:
    /// In ticks; 0: none.
    std::int64_t deadline_ = 0;
    /// In ticks.
    std::int64_t opened_, phase_began_;
    /// Of the current request.
    std::int64_t body_began_ = 0;
    std::size_t body_bytes_ = 0, body_memory_ = 0;
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
    /// Of the process; null: all connections are admitted.
    connection_limiter* limiter = nullptr;
    /// Connections that it did not admit.
    std::uint64_t connections_refused = 0;
    /// Of new connections; null: they speak HTTP.
    std::shared_ptr<const tls_context> tls;
    /// By what they came to.
    handlers::handshake_counts handshakes{};
    /// Whether the connections of trusted proxies begin with a PROXY header.
    bool expects_proxy_header = false;
    request_log log;
    /// For the requests that are being read and answered.
    block_pool memory;
    /// The response that is being serialized. What the socket does not take at once is copied.
    std::string response;
    /// Value of the Date header, renewed by the sweep.
    std::string date;
    /// Number of sweeps so far: the coarse clock.
    std::int64_t tick = 0;
    /// Requests that have been answered: changes while other connections are served.
    std::uint64_t turns = 0;
    /// Connections in phase::handling.
    std::size_t requests_in_flight = 0;
    /// Connections that had no memory for requests at the last sweep.
    std::size_t parked = 0;
    /// Memory of all request bodies, being read or handled, and of the large ones among them.
    std::size_t body_memory = 0, large_body_memory = 0;
    /// Bodies that were not read further, for the memory of others.
    std::uint64_t bodies_evicted = 0;
    list connections;
    /// Those that read a body.
    boost::intrusive::list<tracked_connection, boost::intrusive::base_hook<body_hook>,
                           boost::intrusive::constant_time_size<false>>
        reading_bodies;

    static constexpr std::chrono::milliseconds tick_length{500};

    /// Share of this core in the memory for bodies.
    std::size_t body_budget() const { return settings.body_memory / settings.threads; }

    /** While the bodies exceed their budget, evict those that cost most; see tracked_connection::body_cost().
        A quarter of the budget is a reserve for small ones, such as those of logins.
        @param asking the connection that has received more of its body */
    void shed_bodies(tracked_connection& asking);

    /** Close a connection for a new one: the one that has been idle longest; else, of those that wait for the
        rest of a request, the oldest of the network that has most connections. Looks at some of all.
        @param but not closed; may be null
        @return whether there was one */
    bool make_room(const tracked_connection* but = nullptr);

    /// A generated request id: unique across the nodes of a cluster with high probability; not a secret.
    std::string_view next_request_id(request_id_buffer& space);

    /// One tick: renew the date, close expired connections, and take memory back from idle ones, some at a
    /// time. Cost: one pass over the connections.
    void sweep();

    /// Close every connection that waits for its next request.
    void close_idle();

    /// Close every connection.
    void close_all();

private:
    /// What the generated request ids begin with: random, of this process's run of this core.
    std::string run_id_;
    std::uint64_t requests_ = 0;
};

} // namespace server
