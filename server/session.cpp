#include "server/session.hpp"

#include "crypto/random.hpp"
#include "handlers/dispatch.hpp"
#include "server/reply_writer.hpp"
#include "server/strictness.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/string.hpp>

#include <algorithm>
#include <array>
#include <charconv>
#include <cstring>

namespace server {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

constexpr std::size_t read_size = 4096;
constexpr std::uint32_t header_limit = 16 * 1024;
constexpr std::size_t linger_limit = 256 * 1024;
constexpr std::size_t longest_request_id = 128;
constexpr std::size_t roomy = 16 * 1024;

std::int64_t ticks(std::chrono::seconds time)
{
    return std::chrono::duration_cast<std::chrono::milliseconds>(time) / session_host::tick_length + 1;
}

/** Whether a client's request id may be repeated in headers and logs. */
bool is_sane_id(std::string_view id)
{
    return !id.empty() && id.size() <= longest_request_id && std::ranges::all_of(id, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_' || c == '.';
    });
}

/** One line for each request: at `info` what changed something or was refused; the answers to other services'
    questions, which come by the ten thousand, at `debug`. The route stands for the path, so that nothing a
    client wrote into its URL is ever logged. */
void log_request(const handlers::reply& out, const handlers::request* req, std::string_view id,
                 const asio::ip::address& peer)
{
    auto level = out.status == 503   ? log_level::warning // the database is away, or there is too much to do
                 : out.status >= 500 ? log_level::error
                 : out.is_routine    ? log_level::debug
                                     : log_level::info;
    if (!logs(level))
        return;
    log_line line(level, "request");
    line.add("request_id", id);
    if (req)
        line.add("method", http::to_string(req->message.method())).add("route", out.route);
    line.add("status", static_cast<std::int64_t>(out.status));
    line.add("client", (req ? req->client : peer).to_string());
    if (!out.cause.empty())
        line.add("cause", out.cause);
}

} // namespace

// ---- what the sessions of a core share

session_host::session_host(handlers::context& context, const handlers::router& table, const config& all)
    : cx(context), routes(table), settings(all), date(http_date())
{
    auto bytes = crypto::random_bytes<sizeof run_id_>();
    std::memcpy(&run_id_, bytes.data(), sizeof run_id_);
}

std::string session_host::next_request_id()
{
    std::array<char, 40> text;
    auto end = std::to_chars(text.data(), text.data() + text.size(), run_id_, 36).ptr;
    *end++ = '-';
    end = std::to_chars(end, text.data() + text.size(), ++requests_, 36).ptr;
    return {text.data(), end};
}

void session_host::sweep()
{
    ++tick;
    if (tick % (std::chrono::seconds(1) / tick_length) == 0)
        date = http_date();
    for (auto& s : sessions)
        s.cut_if_late();
}

void session_host::close_idle()
{
    for (auto& s : sessions)
        if (s.is_idle())
            s.cut();
}

void session_host::close_all()
{
    for (auto& s : sessions)
        s.cut();
}

// ---- one connection

session::session(session_host& host, tcp_socket socket)
    : host_(host), socket_(std::move(socket)), opened_(host.tick)
{
    error_code ignored;
    auto peer = socket_.remote_endpoint(ignored);
    peer_ = peer.address();
    host_.sessions.push_back(*this);
}

session::~session()
{
    host_.sessions.erase(host_.sessions.iterator_to(*this));
}

void session::enter(phase next)
{
    if (phase_ == phase::work)
        --host_.at_work;
    if (next == phase::work)
        ++host_.at_work;
    phase_ = next;

    auto& limits = host_.settings.limits;
    switch (next) {
    case phase::idle:
        deadline_ = host_.tick + ticks(limits.idle);
        break;
    case phase::header:
        deadline_ = host_.tick + ticks(limits.header);
        break;
    case phase::body:
        deadline_ = host_.tick + ticks(limits.body);
        break;
    case phase::work: // what a handler waits for has deadlines of its own
        deadline_ = 0;
        break;
    case phase::write:
        deadline_ = host_.tick + ticks(limits.write);
        break;
    case phase::linger:
        deadline_ = host_.tick + ticks(std::chrono::seconds(2));
        break;
    }
}

bool session::is_idle() const
{
    constexpr std::int64_t fresh = 2;
    return phase_ == phase::idle && (answered_ || host_.tick > opened_ + fresh);
}

void session::cut_if_late()
{
    if (deadline_ != 0 && host_.tick >= deadline_)
        cut();
}

void session::cut()
{
    late_ = true;
    error_code ignored;
    socket_.cancel(ignored);
}

/** Wait for more bytes. What comes before `keep_from` is let go, so that no pipelining makes the buffer grow.
 */
handlers::awaitable<bool> session::read_more(std::size_t keep_from)
{
    if (late_)
        co_return false;
    in_.erase(0, keep_from);
    in_from_ -= keep_from;
    auto filled = in_.size();
    in_.resize(filled + read_size);
    error_code error;
    auto n = co_await socket_.async_read_some(asio::buffer(in_.data() + filled, read_size),
                                              asio::redirect_error(db::use_awaitable, error));
    in_.resize(filled + n);
    co_return !error;
}

/** Read one request's header. @return false if the connection ends here, answered or not */
handlers::awaitable<bool> session::read_header(parser& in)
{
    enter(phase::idle);
    auto begin = in_from_;
    for (;;) {
        if (in_from_ < in_.size()) {
            if (phase_ == phase::idle)
                enter(phase::header);
            error_code error;
            auto unread = std::string_view(in_).substr(in_from_);
            in_from_ += in.put(asio::buffer(unread.data(), unread.size()), error);
            if (error && error != http::error::need_more) {
                co_await refuse(problem_of(error));
                co_return false;
            }
            if (in.is_header_done()) {
                auto fault = header_fault(in.get(), std::string_view(in_).substr(begin, in_from_ - begin));
                if (!fault)
                    co_return true;
                co_await refuse(handlers::problem::bad_request(std::string(*fault)));
                co_return false;
            }
        }
        bool more = co_await read_more(begin);
        begin = 0;
        if (more)
            continue;
        if (late_ && phase_ == phase::header)
            co_await refuse(problem_of(boost::beast::error::timeout));
        co_return false;
    }
}

/** Read the rest of the request. @return false if the connection ends here, answered or not */
handlers::awaitable<bool> session::read_body(parser& in)
{
    if (in.is_done())
        co_return true;
    enter(phase::body);
    if (auto length = in.content_length(); length && *length > handlers::body_limit) {
        co_await refuse(handlers::problem::payload_too_large());
        co_return false;
    }
    auto expected = in.get()[http::field::expect];
    if (!expected.empty() && in.get().version() == 11) {
        if (!boost::beast::iequals(expected, "100-continue")) {
            handlers::problem unknown =
                handlers::problem::bad_request("The only Expect understood is 100-continue.");
            unknown.status = 417;
            co_await refuse(std::move(unknown));
            co_return false;
        }
        if (in_from_ == in_.size()) // who has sent the body already does not wait to be asked
            co_await write("HTTP/1.1 100 Continue\r\n\r\n");
    }
    while (!in.is_done()) {
        error_code error;
        auto unread = std::string_view(in_).substr(in_from_);
        if (!unread.empty()) {
            in_from_ += in.put(asio::buffer(unread.data(), unread.size()), error);
            if (error && error != http::error::need_more) {
                co_await refuse(problem_of(error));
                co_return false;
            }
            if (in.is_done())
                break;
        }
        bool more = co_await read_more(in_from_);
        if (more)
            continue;
        if (late_)
            co_await refuse(problem_of(boost::beast::error::timeout));
        co_return false;
    }
    co_return true;
}

handlers::problem session::problem_of(error_code error) const
{
    if (error == http::error::body_limit)
        return handlers::problem::payload_too_large();
    auto p = handlers::problem::bad_request("The request is not well-formed HTTP.");
    if (error == http::error::header_limit) {
        p.status = 431;
        p.detail = "The request's header is too large.";
    } else if (error == boost::beast::error::timeout) {
        p.status = 408;
        p.detail = "The request did not arrive in time.";
    }
    p.cause = error.message();
    return p;
}

/** Tell the client why this is the end of the connection. */
handlers::awaitable<void> session::refuse(handlers::problem why)
{
    late_ = false;
    keep_alive_ = false;
    auto out = handlers::to_reply(why);
    co_await send(out, nullptr);
    co_await linger();
}

handlers::awaitable<void> session::answer(const parser& in)
{
    auto& message = in.get();
    enter(phase::work);
    keep_alive_ = message.keep_alive() && !host_.cx.draining;

    auto [path, query] = split_target(message.target());
    std::string made;
    std::string_view id = message["X-Request-Id"];
    if (!is_sane_id(id)) {
        made = host_.next_request_id();
        id = made;
    }
    auto client =
        host_.settings.trusted_proxies.empty()
            ? peer_
            : handlers::client_address(peer_, message["X-Forwarded-For"], host_.settings.trusted_proxies);
    handlers::request req{message, path, query, client, id};

    if (auto quick = handlers::dispatch_now(host_.routes, host_.cx, req)) {
        co_await send(*quick, &req);
        co_return;
    }
    auto slow = co_await handlers::dispatch(host_.routes, host_.cx, req);
    co_await send(slow, &req);
}

handlers::awaitable<void> session::send(const handlers::reply& out, const handlers::request* req)
{
    reply_frame frame;
    std::string made;
    if (req) {
        frame.request_id = req->id;
        frame.is_head = req->message.method() == http::verb::head;
        frame.old_client = req->message.version() == 10;
    } else {
        made = host_.next_request_id();
        frame.request_id = made;
    }
    frame.date = host_.date;
    keep_alive_ = keep_alive_ && !host_.cx.draining;
    frame.keep_alive = keep_alive_;
    log_request(out, req, frame.request_id, peer_);

    out_.clear();
    write_reply(out_, out, frame);
    enter(phase::write);
    co_await write(out_);
}

/** Write all of it: at once as far as the socket takes it, which is nearly always to the end. */
handlers::awaitable<void> session::write(std::string_view bytes)
{
    error_code error;
    auto n = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    if (!error && n == bytes.size())
        co_return;
    if (error == asio::error::would_block || error == asio::error::try_again)
        error = {};
    if (!error) {
        auto rest = bytes.substr(n);
        co_await asio::async_write(socket_, asio::buffer(rest.data(), rest.size()),
                                   asio::redirect_error(db::use_awaitable, error));
    }
    if (error)
        keep_alive_ = false;
    if (out_.capacity() > roomy) // an idle connection need not hold on to its largest reply
        out_ = {};
}

/** Read on for a while after the last reply: closing a socket with unread bytes in it resets the connection,
    and the reply might be lost with it. */
handlers::awaitable<void> session::linger()
{
    enter(phase::linger);
    error_code error;
    socket_.shutdown(tcp_socket::shutdown_send, error);
    for (std::size_t seen = 0; !error && seen < linger_limit;) {
        in_from_ = in_.size();
        bool more = co_await read_more(in_from_);
        if (!more)
            break;
        seen += in_.size();
    }
}

handlers::awaitable<void> session::run()
{
    while (keep_alive_) {
        parser in;
        in.header_limit(header_limit);
        in.body_limit(handlers::body_limit);
        bool readable = co_await read_header(in);
        if (readable)
            readable = co_await read_body(in);
        if (!readable)
            break;
        co_await answer(in);
        answered_ = true;
    }
    // Leave no phase behind that still counts as work.
    enter(phase::linger);
}

namespace {

/** The connection, its socket and its buffers, all in this one frame. */
handlers::awaitable<void> live(session_host& host, tcp_socket socket)
{
    session connection(host, std::move(socket));
    try {
        co_await connection.run();
    } catch (const std::exception& e) {
        log_line(log_level::error, "connection failed").add("cause", e.what());
    }
}

} // namespace

void serve(session_host& host, tcp_socket socket)
{
    error_code ignored;
    socket.non_blocking(true, ignored);
    socket.set_option(asio::ip::tcp::no_delay(true), ignored);
    auto executor = socket.get_executor();
    asio::co_spawn(executor, live(host, std::move(socket)), asio::detached);
}

} // namespace server
