// One HTTP connection: read, dispatch, write, loop; with deadlines that a sweep of the core keeps.
#pragma once

#include "handlers/http/context.hpp"
#include "handlers/http/router.hpp"
#include "handlers/metrics/request_metrics.hpp"
#include "server/config.hpp"

#include <boost/asio/basic_socket_acceptor.hpp>
#include <boost/asio/basic_stream_socket.hpp>
#include <boost/asio/buffer.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/intrusive/list.hpp>

#include <array>
#include <cstdint>
#include <optional>
#include <string>

namespace server {

using tcp_socket = boost::asio::basic_stream_socket<boost::asio::ip::tcp, db::executor>;
using tcp_acceptor = boost::asio::basic_socket_acceptor<boost::asio::ip::tcp, db::executor>;

struct session_host;

/// Room for a request id of ours: two numbers in base 36.
using request_id_buffer = std::array<char, 40>;

/** One connection. Lives in its own coroutine's frame; see serve(). */
class session : public boost::intrusive::list_base_hook<> {
public:
    session(session_host& host, tcp_socket socket);
    ~session();

    /** Serve requests one after the other, in their order, until the connection ends. Never throws. */
    handlers::awaitable<void> run();

    /** Whether the connection waits for a request. A fresh one does not count for a second: its first request
        may be on the way. */
    bool is_idle() const;

    /** Called by the sweep. */
    void cut_if_late();
    void cut();

private:
    enum class phase : std::uint8_t { idle, header, body, work, write, linger };
    using parser = boost::beast::http::request_parser<boost::beast::http::string_body>;

    struct exchange;

    handlers::awaitable<bool> read_body(exchange& at);
    handlers::awaitable<void> refuse(exchange& at, handlers::problem why);
    handlers::awaitable<void> linger();
    handlers::awaitable<void> write_rest(std::size_t from);

    void enter(phase next);
    std::optional<handlers::problem> parse(parser& in);
    boost::asio::mutable_buffer room(std::size_t keep_from);
    handlers::request begin_work(exchange& at);
    void frame(const handlers::reply& out, const handlers::request* req);
    std::size_t write_now(std::string_view bytes);

    session_host& host_;
    tcp_socket socket_;
    boost::asio::ip::address peer_;
    std::string
        in_; // as large as it has to be; what counts are the bytes from in_from_ to in_end_, not yet parsed
    std::size_t in_from_ = 0, in_end_ = 0;
    std::string out_;
    std::chrono::steady_clock::time_point began_; // the work of a request
    std::int64_t deadline_ = 0;                   // in ticks; 0: none
    phase phase_ = phase::idle;
    std::int64_t opened_; // in ticks
    bool answered_ = false;
    bool keep_alive_ = true;
    bool late_ = false; // cut by the sweep
};

/** What the connections of one core share: the way to the handlers, the coarse clock, and the list by which
    the core reaches them. */
struct session_host {
    session_host(handlers::context& cx, const handlers::router& routes, const config& settings);

    using list = boost::intrusive::list<session, boost::intrusive::constant_time_size<true>>;

    handlers::context& cx;
    const handlers::router& routes;
    const config& settings;
    handlers::request_counts* counts = nullptr; // of this core
    std::string date;                           // as the Date header has it; renewed by the sweep
    std::int64_t tick = 0;                      // of the sweep
    std::size_t at_work = 0;                    // sessions with a request under way
    std::size_t large_bodies = 0; // requests with a body beyond the usual limit, being read or answered
    list sessions;

    static constexpr std::chrono::milliseconds tick_length{500};

    /// Of large bodies at once: they are read before anybody knows whose they are, and must not add up.
    static constexpr std::size_t most_large_bodies = 16;

    /** A fresh request id. Unique among the processes of an installation as far as chance goes; no secret. */
    std::string_view next_request_id(request_id_buffer& space);

    /** One turn of the sweep: renew the date, cut who has overstayed. Costs a walk over the connections. */
    void sweep();

    /** Close every connection that waits for its next request. */
    void close_idle();

    /** Close every connection. */
    void close_all();

private:
    std::uint64_t run_id_; // of this core's run
    std::uint64_t requests_ = 0;
};

/** Serve a connection in a coroutine of its own, on the connection's io_context. */
void serve(session_host& host, tcp_socket socket);

} // namespace server
