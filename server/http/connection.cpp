#include "server/http/connection.hpp"

#include "crypto/random.hpp"
#include "handlers/http/cors.hpp"
#include "handlers/http/dispatch.hpp"
#include "server/http/request_validation.hpp"
#include "server/http/response_writer.hpp"
#include "server/http/traceparent.hpp"

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
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

/** What all proxies on the way have said. One may add a line where another lengthens the one there is; both
    mean the same (RFC 9110, section 5.3). */
std::string forwarded_for(const http::request_header<>& header)
{
    std::string out;
    auto [line, last] = header.equal_range("X-Forwarded-For");
    for (; line != last; ++line)
        out.append(out.empty() ? "" : ",").append(line->value());
    return out;
}

/** One line for each request: at `info` what changed something or was refused; the answers to other services'
    questions, which come by the ten thousand, at `debug`. The route stands for the path, so that nothing a
    client wrote into its URL is ever logged. */
void log_request(const handlers::reply& out, const handlers::request* req, std::string_view id,
                 const asio::ip::address& peer, std::chrono::nanoseconds took)
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
    line.add("duration_us", std::chrono::duration_cast<std::chrono::microseconds>(took).count());
    line.add("client", (req ? req->client : peer).to_string());
    if (auto parent = req ? trace_parent::read(req->message) : std::nullopt)
        line.add("trace_id", parent->trace_id).add("parent_id", parent->parent_id);
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

std::string_view session_host::next_request_id(request_id_buffer& text)
{
    auto end = std::to_chars(text.data(), text.data() + text.size(), run_id_, 36).ptr;
    *end++ = '-';
    end = std::to_chars(end, text.data() + text.size(), ++requests_, 36).ptr;
    return {text.data(), static_cast<std::size_t>(end - text.data())};
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
    peer_ = handlers::plain(peer.address());
    host_.sessions.push_back(*this);
}

session::~session()
{
    enter(phase::idle); // leave nothing behind that counts as work
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
        deadline_ = host_.tick + ticks(answered_ ? limits.idle : limits.header);
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

/** One request and what is made of it. */
struct session::exchange {
    parser in;
    std::size_t begin = 0;      // of the header in in_, while it is being read
    bool is_understood = false; // its header is whole and sound
    request_id_buffer made_id;
    std::size_t* counts_in = nullptr; // a large body's place among those of the core

    exchange() = default;
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;
    ~exchange()
    {
        if (counts_in)
            --*counts_in;
    }
};

/** The problem of a request that did not come through. */
static handlers::problem problem_of(error_code error)
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

/** Give the parser what has been read. @return why it will not have it, if so */
std::optional<handlers::problem> session::parse(parser& in)
{
    if (in_from_ == in_end_)
        return std::nullopt;
    error_code error;
    in_from_ += in.put(asio::buffer(in_.data() + in_from_, in_end_ - in_from_), error);
    if (error && error != http::error::need_more)
        return problem_of(error);
    return std::nullopt;
}

/** Where to read more into. What comes before `keep_from` is let go, so that no pipelining makes the
    buffer grow. */
asio::mutable_buffer session::room(std::size_t keep_from)
{
    if (keep_from > 0) {
        std::memmove(in_.data(), in_.data() + keep_from, in_end_ - keep_from);
        in_from_ -= keep_from;
        in_end_ -= keep_from;
    }
    if (in_.size() - in_end_ < read_size)
        in_.resize(in_end_ + read_size);
    return asio::buffer(in_.data() + in_end_, in_.size() - in_end_);
}

/** Read the rest of the request. @return false if the connection ends here, answered or not */
handlers::awaitable<bool> session::read_body(exchange& at)
{
    auto& in = at.in;
    const auto fields = std::distance(in.get().begin(), in.get().end());
    enter(phase::body);
    in.eager(true); // all chunks that are there, not one at a time
    auto length = in.content_length();
    auto limit = handlers::body_limit;
    if (!length || *length > limit) // what every route takes needs no look at the route
        limit = host_.routes.body_limit(in.get().method(), split_target(in.get().target()).path);
    in.body_limit(limit);
    if (length && *length > limit) {
        co_await refuse(at, handlers::problem::payload_too_large());
        co_return false;
    }
    if (limit > handlers::body_limit && (!length || *length > handlers::body_limit)) {
        if (host_.large_bodies == session_host::most_large_bodies) {
            co_await refuse(at, handlers::problem::overloaded());
            co_return false;
        }
        at.counts_in = &host_.large_bodies;
        ++host_.large_bodies;
    }
    auto expected = in.get()[http::field::expect];
    if (!expected.empty() && in.get().version() == 11) {
        if (!boost::beast::iequals(expected, "100-continue")) {
            auto unknown = handlers::problem::bad_request("The only Expect understood is 100-continue.");
            unknown.status = 417;
            co_await refuse(at, std::move(unknown));
            co_return false;
        }
        if (in_from_ == in_end_) { // who has sent the body already does not wait to be asked
            out_ = "HTTP/1.1 100 Continue\r\n\r\n";
            co_await write_rest(write_now(out_));
        }
    }
    for (;;) {
        if (auto fault = parse(in)) {
            co_await refuse(at, std::move(*fault));
            co_return false;
        }
        // What is left is a chunk's line or a trailer, which the parser waits to see whole.
        auto framing = in_end_ - in_from_;
        bool has_trailer = in.is_done() && fields != std::distance(in.get().begin(), in.get().end());
        if (has_trailer || (framing > header_limit && !in.is_done())) {
            // A trailer would be taken for a part of the header, which proxies and we have checked already.
            co_await refuse(at, has_trailer ? handlers::problem::bad_request("Trailers are not accepted.")
                                            : problem_of(http::error::header_limit));
            co_return false;
        }
        if (in.is_done())
            co_return true;
        error_code error;
        auto space = room(in_from_);
        in_end_ += co_await socket_.async_read_some(space, asio::redirect_error(db::use_awaitable, error));
        if (!error)
            continue;
        if (late_)
            co_await refuse(at, problem_of(boost::beast::error::timeout));
        co_return false;
    }
}

/** Tell the client why this is the end of the connection. */
handlers::awaitable<void> session::refuse(exchange& at, handlers::problem why)
{
    late_ = false;
    auto out = handlers::to_reply(why);
    if (at.is_understood) {
        auto req = begin_work(at);
        handlers::allow_origin(host_.cx.config, req, out);
        keep_alive_ = false;
        frame(out, &req);
    } else {
        keep_alive_ = false;
        frame(out, nullptr);
    }
    co_await write_rest(write_now(out_));
    co_await linger();
}

/** The request as handlers see it. */
handlers::request session::begin_work(exchange& at)
{
    auto& message = at.in.get();
    enter(phase::work);
    began_ = std::chrono::steady_clock::now();
    keep_alive_ = message.keep_alive() && !host_.cx.draining;

    auto [path, query] = split_target(message.target());
    std::string_view id = message["X-Request-Id"];
    if (!is_sane_id(id)) {
        id = host_.next_request_id(at.made_id);
    }
    auto client =
        host_.settings.trusted_proxies.empty()
            ? peer_
            : handlers::client_address(peer_, forwarded_for(message), host_.settings.trusted_proxies);
    return {message, path, query, client, id};
}

/** Make the bytes of a reply. @param req nothing if there was none that could be understood */
void session::frame(const handlers::reply& out, const handlers::request* req)
{
    reply_frame around;
    request_id_buffer made;
    if (req) {
        around.request_id = req->id;
        around.is_head = req->message.method() == http::verb::head;
        around.old_client = req->message.version() == 10;
    } else {
        around.request_id = host_.next_request_id(made);
    }
    around.date = host_.date;
    keep_alive_ = keep_alive_ && !host_.cx.draining;
    around.keep_alive = keep_alive_;
    std::chrono::nanoseconds took{0};
    if (req)
        took = std::chrono::steady_clock::now() - began_;
    if (host_.counts)
        host_.counts->note(out.route_number, out.status, took);
    log_request(out, req, around.request_id, peer_, took);

    out_.clear();
    write_reply(out_, out, around);
    enter(phase::write);
}

/** Write as far as the socket takes it at once, which is nearly always to the end. @return how far */
std::size_t session::write_now(std::string_view bytes)
{
    error_code error;
    auto n = socket_.write_some(asio::buffer(bytes.data(), bytes.size()), error);
    if (error && error != asio::error::would_block && error != asio::error::try_again)
        keep_alive_ = false;
    return n;
}

/** Write the rest of out_. */
handlers::awaitable<void> session::write_rest(std::size_t from)
{
    error_code error;
    if (from < out_.size())
        co_await asio::async_write(socket_, asio::buffer(out_.data() + from, out_.size() - from),
                                   asio::redirect_error(db::use_awaitable, error));
    if (error)
        keep_alive_ = false;
}

/** Read on for a while after the last reply: closing a socket with unread bytes in it resets the connection,
    and the reply might be lost with it. */
handlers::awaitable<void> session::linger()
{
    enter(phase::linger);
    error_code error;
    socket_.shutdown(tcp_socket::shutdown_send, error);
    for (std::size_t seen = 0; !error && !late_ && seen < linger_limit;) {
        auto space = room(in_end_);
        seen += co_await socket_.async_read_some(space, asio::redirect_error(db::use_awaitable, error));
    }
}

// The way of a request that can be answered at once is this one frame: of what it calls, nothing is a
// coroutine but the read. (Every further frame costs an allocation, and they added up to a tenth of the
// time.)
handlers::awaitable<void> session::run()
{
    while (keep_alive_ && !late_) {
        exchange at;
        at.begin = in_from_;
        at.in.header_limit(header_limit);
        at.in.body_limit(host_.routes.largest_body()); // until the route is known
        enter(phase::idle);
        for (;;) {
            if (in_from_ < in_end_ && phase_ == phase::idle)
                enter(phase::header);
            auto fault = parse(at.in);
            if (at.in.is_header_done()) {
                auto raw = std::string_view(in_).substr(at.begin, in_from_ - at.begin);
                if (auto why = header_fault(at.in.get(), raw))
                    fault = handlers::problem::bad_request(std::string(*why));
            }
            if (fault) {
                co_await refuse(at, std::move(*fault));
                co_return;
            }
            if (at.in.is_header_done()) {
                at.is_understood = true;
                break;
            }
            auto space = room(at.begin);
            at.begin = 0;
            error_code error;
            in_end_ +=
                co_await socket_.async_read_some(space, asio::redirect_error(db::use_awaitable, error));
            if (!error && !late_)
                continue;
            if (late_ && phase_ == phase::header)
                co_await refuse(at, problem_of(boost::beast::error::timeout));
            co_return;
        }
        if (!at.in.is_done()) {
            bool complete = co_await read_body(at);
            if (!complete)
                co_return;
        }

        auto req = begin_work(at);
        auto out = handlers::dispatch_now(host_.routes, host_.cx, req);
        if (auto waiting = std::get_if<handlers::pending>(&out))
            out = co_await handlers::dispatch(std::move(*waiting));
        frame(std::get<handlers::reply>(out), &req);
        auto written = write_now(out_);
        if (written < out_.size())
            co_await write_rest(written);
        if (out_.capacity() > roomy) // an idle connection need not hold on to its largest reply
            out_ = {};
        answered_ = true;
        // The others that are ready go first. By then the next request has often come, and reading it needs
        // no attempt in vain: a twelfth of the CPU time of a server under load.
        if (in_from_ == in_end_)
            co_await asio::post(socket_.get_executor(), db::use_awaitable);
    }
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
