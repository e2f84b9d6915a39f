// The preamble of a connection, before its first request: the PROXY header and the TLS handshake.
#include "server/http/connection.hpp"
#include "server/http/proxy_protocol.hpp"

#include <boost/asio/redirect_error.hpp>

#include <atomic>

namespace server {

namespace asio = boost::asio;
using boost::system::error_code;
using handlers::handshake;

namespace {

/// The first byte of each TLS record of a handshake.
constexpr char handshake_record = 0x16;

/// Whether a first byte is of an HTTP method.
bool begins_method(char c)
{
    return c >= 'A' && c <= 'Z';
}

} // namespace

http_connection::~http_connection()
{
    if (tls_)
        tls_->close();
    release_memory();
}

/** Read the header of the PROXY protocol, which every connection of a trusted proxy begins with.
    @return false if the connection ends here: without an answer, since there is no request */
handlers::awaitable<bool> http_connection::read_proxy_header()
{
    enter(phase::header);
    for (;;) {
        auto header = server::read_proxy_header(reader_.unparsed_bytes());
        if (header.state == proxy_header_state::malformed) {
            static std::atomic<bool> warned{false};
            if (!warned.exchange(true))
                log_line(log_level::warning, "a trusted proxy sends no valid PROXY header (version 2)")
                    .add("peer", remote_.to_string());
            co_return false;
        }
        if (header.state == proxy_header_state::complete) {
            reader_.skip(header.size);
            remote_ = header.client.value_or(remote_);
            co_return co_await take_place();
        }
        error_code error;
        auto space = reader_.prepare(nullptr);
        auto size = co_await socket_.async_read_some(space, asio::redirect_error(db::use_awaitable, error));
        reader_.commit(size);
        if (error || timed_out_)
            co_return false;
    }
}

/** Count the connection for the client that the proxy has named. Others make room for it only now, since the
    client may be over its own cap.
    @return false if there is no place; the connection ends here, with a response */
handlers::awaitable<bool> http_connection::take_place()
{
    if (!registry_.limiter)
        co_return true;
    auto verdict = registry_.limiter->move_to(place_, remote_);
    if (verdict == connection_limiter::verdict::admitted ||
        (verdict == connection_limiter::verdict::all_full && registry_.make_room(this)))
        co_return true;
    ++registry_.connections_refused;
    if (!registry_.tls) // a client that awaits a handshake would understand no response
        co_await refuse(handlers::to_reply(handlers::problem::of(handlers::codes::overloaded)), nullptr);
    co_return false;
}

/** Count a handshake, and log a failure.
    @return whether the connection goes on */
bool http_connection::end_handshake(handshake outcome, std::string_view cause)
{
    ++registry_.handshakes[static_cast<std::size_t>(outcome)];
    if (!is_success(outcome) && outcome != handshake::plain_http) // which has a response, and so a line
        registry_.log.record(outcome, cause, remote_);
    return is_success(outcome);
}

/** Shake hands with the client. Until it begins, the connection is idle; then it has the deadline of a
   request's header, and gives way as one with an unfinished header does.
    @return false if the connection ends here */
handlers::awaitable<bool> http_connection::shake_hands()
{
    enter(phase::idle);
    bool needs_output = false;
    for (;;) {
        // What has arrived behind the PROXY header comes first.
        if (reader_.has_unparsed() && phase_ == phase::idle) {
            enter(phase::header);
            char first = reader_.unparsed_bytes().front();
            if (begins_method(first)) {
                end_handshake(handshake::plain_http);
                auto problem = handlers::problem::of(
                    handlers::codes::bad_request, "This port serves HTTPS, and the request is plain HTTP.");
                co_await refuse(handlers::to_reply(problem), nullptr);
                co_return false;
            }
            if (first != handshake_record)
                co_return end_handshake(handshake::malformed);
            tls_ = std::make_unique<tls_session>(registry_.tls, socket_.native_handle());
        }
        if (tls_) {
            auto state = tls_->shake_hands(reader_.unparsed_bytes());
            reader_.clear();
            if (state == tls_session::state::established)
                co_return end_handshake(tls_->outcome());
            if (state == tls_session::state::failed) {
                end_handshake(tls_->outcome(), tls_->failure());
                co_await linger(); // a reset would take the alert with it
                co_return false;
            }
            needs_output = state == tls_session::state::needs_output;
        }
        error_code error;
        if (needs_output) {
            co_await socket_.async_wait(tcp_socket::wait_write,
                                        asio::redirect_error(db::use_awaitable, error));
        } else {
            auto space = reader_.prepare(nullptr);
            auto size =
                co_await socket_.async_read_some(space, asio::redirect_error(db::use_awaitable, error));
            reader_.commit(size);
        }
        if (!error && !timed_out_)
            continue;
        registry_.connections_refused += gives_way_ ? 1 : 0;
        if (tls_) // otherwise it was idle, as the probes of load balancers are
            end_handshake(timed_out_ ? handshake::timeout : handshake::disconnected);
        co_return false;
    }
}

} // namespace server
