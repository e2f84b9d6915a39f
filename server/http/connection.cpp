#include "server/http/connection.hpp"

#include "handlers/http/cors.hpp"
#include "server/http/request_log.hpp"
#include "server/http/request_validation.hpp"

#include <boost/asio/as_tuple.hpp>
#include <boost/asio/deferred.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/beast/core/string.hpp>

#include <atomic>
#include <cstddef>
#include <memory>
#include <new>
#include <tuple>
#include <utility>

namespace server {

namespace asio = boost::asio;
namespace http = boost::beast::http;
using boost::system::error_code;

namespace {

/** The value of a header of all proxies. A proxy may add a line or extend the one there is; both mean the
    same (RFC 9110, section 5.3). */
template <class Name>
std::string join_lines(const handlers::request_head& head, Name name)
{
    std::string out;
    for (auto line : head.lines(name))
        out.append(out.empty() ? "" : ",").append(line);
    return out;
}

/// The event for the log; static for every fault.
std::string_view describe(handlers::forwarding_fault fault)
{
    switch (fault) {
    case handlers::forwarding_fault::untrusted_peer:
        return "forwarding headers ignored: the peer is not in LATCHKEY_TRUSTED_PROXIES";
    case handlers::forwarding_fault::unreadable:
        return "forwarding headers of a trusted proxy name no client address";
    case handlers::forwarding_fault::contradiction:
        return "X-Forwarded-For and Forwarded name different clients";
    case handlers::forwarding_fault::none:
        break;
    }
    return {};
}

/// Space for a value that is constructed later, in its place.
template <class T>
class deferred_value {
public:
    deferred_value() = default;
    deferred_value(const deferred_value&) = delete;
    deferred_value& operator=(const deferred_value&) = delete;
    ~deferred_value()
    {
        if (value_)
            std::destroy_at(value_);
    }

    /// Once. @param make returns the value, which is not moved
    template <class Function>
    T& make(Function make)
    {
        value_ = new (space_) T(make());
        return *value_;
    }

private:
    alignas(T) std::byte space_[sizeof(T)];
    T* value_ = nullptr;
};

std::string_view expectation(const handlers::request_head& head)
{
    return head.version() == 11 ? head[http::field::expect] : std::string_view();
}

} // namespace

/// One request and its response. At the begin of the connection's block, before the read buffer.
struct http_connection::exchange {
    request_parser parser;
    /// Where the body arrives after it: the read buffer moves then, and views of the header would not.
    std::string header;
    /// The header is complete and valid.
    bool has_valid_header = false;
    request_id_buffer id_space;
    /// Why it is rejected.
    std::optional<handlers::problem> problem;
    deferred_value<handlers::request> request;
    deferred_value<std::variant<handlers::reply, handlers::pending>> outcome;

    explicit exchange(std::size_t body_limit)
    {
        parser.header_limit(max_header_size);
        parser.body_limit(body_limit);
    }
    exchange(const exchange&) = delete;
    exchange& operator=(const exchange&) = delete;
};

http_connection::http_connection(connection_registry& registry, tcp_socket socket, asio::ip::address peer,
                                 connection_limiter::place place)
    : tracked_connection(registry, std::move(socket), std::move(place)), remote_(std::move(peer))
{}

// ---- memory

void http_connection::end_exchange::operator()(exchange* one) const
{
    std::destroy_at(one);
}

/// Have memory for a request. Throws std::bad_alloc.
void http_connection::hold_memory()
{
    if (block_)
        return;
    block_ = registry_.memory.take();
    constexpr auto used = sizeof(exchange);
    static_assert(used + 4096 <= block_pool::block_size, "most headers fit");
    auto buffer = reinterpret_cast<char*>(block_ + used);
    reader_.attach({buffer, block_pool::block_size - used});
}

/// Give the block back. Unparsed bytes are lost; no exchange may exist.
void http_connection::release_memory()
{
    reader_.detach();
    if (block_)
        registry_.memory.give_back(std::exchange(block_, nullptr));
}

// ---- reading

/// Parse the received part of the header, and validate the header once it is complete.
std::optional<handlers::problem> http_connection::parse_header(exchange& current)
{
    auto problem = reader_.parse(current.parser);
    if (!current.parser.is_header_done())
        return problem;
    if (auto reason = validate_header(current.parser))
        problem = handlers::problem::of(handlers::codes::bad_request, std::string(*reason));
    current.has_valid_header = !problem;
    return problem;
}

/** Check the announced length against the body limit of the route, and the Expect header, and parse what has
    been received with the header. */
std::optional<handlers::problem> http_connection::begin_body(exchange& current)
{
    auto& parser = current.parser;
    auto length = parser.content_length();
    auto limit = handlers::default_body_limit;
    if (!length || *length > limit) // a body that every route accepts needs no route lookup
        limit =
            registry_.routes.body_limit(parser.head().method(), split_target(parser.head().target()).path);
    parser.body_limit(limit);
    if (length && *length > limit)
        return handlers::problem::of(handlers::codes::payload_too_large);
    auto expected = expectation(parser.head());
    if (!expected.empty() && !boost::beast::iequals(expected, "100-continue"))
        return handlers::problem::of(handlers::codes::bad_request.with_status(417),
                                     "The only supported Expect is 100-continue.");
    parser.eager(true); // parse all chunks received so far, not one per call
    return parse_body(current);
}

/// Parse the received part of the body.
std::optional<handlers::problem> http_connection::parse_body(exchange& current)
{
    auto problem = reader_.parse(current.parser);
    if (!problem)
        problem = check_chunk_framing(current.parser, reader_.unparsed());
    return problem;
}

/// Read the rest of the request. @return false if the connection ends here, with or without a response
handlers::awaitable<bool> http_connection::read_body(exchange& current)
{
    auto& parser = current.parser;
    enter(phase::body);
    add_body_bytes(parser.body().size() + reader_.unparsed());
    // A client that has sent body bytes already does not wait for 100 Continue.
    if (!expectation(parser.head()).empty() && parser.body().empty() && !reader_.has_unparsed()) {
        write_now("HTTP/1.1 100 Continue\r\n\r\n");
        bool is_written = co_await write_rest();
        if (!is_written)
            co_return false;
    }
    auto& problem = current.problem;
    while (!parser.is_done()) {
        error_code error;
        auto space = reader_.prepare(nullptr);
        std::size_t size = 0;
        if (needs_input())
            size = co_await socket_.async_read_some(space, asio::redirect_error(db::use_awaitable, error));
        size = take(space, size, error);
        if (!is_body_evicted_ && !error) {
            add_body_bytes(size);
            registry_.shed_bodies(*this);
        }
        if (gives_way_) {
            refuse_at_once();
            co_return false;
        }
        if (is_body_evicted_)
            problem = handlers::problem::of(handlers::codes::overloaded);
        else if (timed_out_)
            problem = to_problem(boost::beast::error::timeout);
        else if (!error)
            problem = parse_body(current);
        if (problem)
            co_await reject(current);
        if (problem || error)
            co_return false;
    }
    co_return true;
}

// ---- handling

/** Answer a request with a body that has not arrived yet. The guard decides on the header, so that a client
    without permission occupies no memory, and one that sent `Expect: 100-continue` need not send the body.
    @param outcome the guard's decision from memory; receives the reply
    @return false if the connection ends here, with or without a response */
handlers::awaitable<bool>
http_connection::answer_with_body(exchange& current, const handlers::request& request,
                                  std::variant<handlers::reply, handlers::pending>& outcome)
{
    if (auto refusal = std::get_if<handlers::reply>(&outcome)) {
        co_await refuse(std::move(*refusal), &request);
        co_return false;
    }
    auto pending = std::move(std::get<handlers::pending>(outcome));
    if (!pending.is_admitted) {
        auto refusal = co_await handlers::admit(pending);
        if (refusal) {
            co_await refuse(std::move(*refusal), &request);
            co_return false;
        }
    }
    bool is_complete = co_await read_body(current);
    if (!is_complete)
        co_return false;

    enter(phase::handling);
    request_started_ = std::chrono::steady_clock::now();
    auto refusal = co_await handlers::admit_again(pending);
    if (refusal)
        outcome = std::move(*refusal);
    else
        outcome = co_await handlers::dispatch(std::move(pending));
    co_return true;
}

/// Answer before the body has been read, and end the connection. @param request null if it could not be
/// parsed
handlers::awaitable<void> http_connection::refuse(handlers::reply reply, const handlers::request* request)
{
    keep_alive_ = false;
    respond(reply, request);
    co_await write_rest();
    co_await linger();
}

/// Answer with 503 as far as the socket takes it: the place is needed.
void http_connection::refuse_at_once()
{
    ++registry_.connections_refused;
    auto reply = handlers::to_reply(handlers::problem::of(handlers::codes::overloaded));
    keep_alive_ = false;
    respond(reply, nullptr);
}

/** Begin handling a complete request, or one that is rejected after its header.
    @return the request as handlers see it; refers to `current` */
handlers::request http_connection::start_request(exchange& current)
{
    auto& head = current.parser.head();
    enter(phase::handling);
    request_started_ = std::chrono::steady_clock::now();
    keep_alive_ = current.parser.keep_alive() && !registry_.context.draining;

    auto [path, query] = split_target(head.target());
    auto id = head["X-Request-Id"];
    if (!is_valid_request_id(id))
        id = registry_.next_request_id(current.id_space);
    return {head, current.parser.body(), path, query, client_of(head), id};
}

/// Address of the client: the remote address, or the one that trusted proxies forward.
asio::ip::address http_connection::client_of(const handlers::request_head& head) const
{
    // Without trusted proxies the headers only matter for the warning, and the first request of a connection
    // shows whether its peer sends them.
    auto& proxies = registry_.settings.trusted_proxies;
    if (proxies.empty() && answered_)
        return remote_;
    handlers::forwarding_headers headers;
    headers.x_forwarded_for = join_lines(head, "X-Forwarded-For");
    headers.forwarded = join_lines(head, http::field::forwarded);
    auto client = handlers::locate_client(remote_, headers, proxies);
    if (client.fault != handlers::forwarding_fault::none)
        warn_of(client.fault);
    return client.address;
}

/// Log a fault of the forwarding headers, each kind once in the life of the process: clients can cause them.
void http_connection::warn_of(handlers::forwarding_fault fault) const
{
    static std::atomic<unsigned> warned{0};
    auto bit = 1U << static_cast<unsigned>(fault);
    if ((warned.fetch_or(bit, std::memory_order_relaxed) & bit) == 0)
        log_line(log_level::warning, describe(fault)).add("peer", remote_.to_string());
}

/// Answer with the problem of an exchange and end the connection.
handlers::awaitable<void> http_connection::reject(exchange& current)
{
    timed_out_ = false;
    auto reply = handlers::to_reply(*current.problem);
    if (current.has_valid_header) {
        auto request = start_request(current);
        handlers::allow_origin(registry_.context.config, request, reply);
        co_await refuse(std::move(reply), &request);
        co_return;
    }
    co_await refuse(std::move(reply), nullptr);
}

// ---- the loop

// The whole path of a request that can be answered at once is this one frame: none of its callees is a
// coroutine but the read. (Each further frame costs an allocation, and they added up to a tenth of the time.)
handlers::awaitable<void> http_connection::run()
{
    hold_memory();
    if (registry_.expects_proxy_header && handlers::is_in(registry_.settings.trusted_proxies, remote_)) {
        bool has_header = co_await read_proxy_header();
        if (!has_header)
            co_return;
    }
    if (registry_.tls) {
        bool is_encrypted = co_await shake_hands();
        if (!is_encrypted)
            co_return;
    }
    bool may_have_arrived = false; // the next request
    bool was_parked = false;
    while (keep_alive_ && !timed_out_) {
        // Read the header. The body limit is the largest of all routes until the route is known.
        hold_memory();
        std::unique_ptr<exchange, end_exchange> owner(new (block_) exchange(registry_.routes.largest_body()));
        auto& current = *owner;
        reader_.begin_request();
        if (!std::exchange(was_parked, false)) // else its time without a request goes on
            enter(phase::idle);
        for (;;) {
            if (reader_.has_unparsed() && phase_ == phase::idle)
                enter(phase::header);
            current.problem = parse_header(current);
            if (current.problem || current.has_valid_header)
                break;
            auto space = reader_.prepare(&current.parser);
            std::size_t size = 0;
            auto error = needs_input() ? error_code(asio::error::would_block) : error_code();
            if (error && std::exchange(may_have_arrived, false))
                size = socket_.read_some(space, error);
            if (error == asio::error::would_block) {
                may_park_ = phase_ == phase::idle;
                std::tie(error, size) =
                    co_await socket_.async_read_some(space, asio::as_tuple(asio::deferred));
                may_park_ = false;
            }
            if (error == asio::error::operation_aborted && !timed_out_) { // by park_if_idle()
                was_parked = true;
                break;
            }
            if (tls_ && size > 0 && phase_ == phase::idle) // perhaps a part of a record, without plaintext
                enter(phase::header);
            take(space, size, error);
            if (!error && !timed_out_)
                continue;
            if (gives_way_)
                refuse_at_once();
            if (gives_way_ || !timed_out_ || phase_ != phase::header)
                co_return;
            current.problem = to_problem(boost::beast::error::timeout);
            break;
        }
        if (was_parked) {
            owner.reset();
            release_memory();
            is_parked_ = true;
            auto [error] = co_await socket_.async_wait(tcp_socket::wait_read, asio::as_tuple(asio::deferred));
            is_parked_ = false;
            if (error)
                co_return;
            may_have_arrived = true;
            continue;
        }
        if (!current.problem && !current.parser.is_done())
            current.problem = begin_body(current);
        if (current.problem) {
            co_await reject(current);
            co_return;
        }

        // Handle it: at once, or in a coroutine if its body has not arrived, or it awaits the database or the
        // hash pool.
        bool awaits_body = !current.parser.is_done();
        if (awaits_body) {
            current.header = reader_.take_header();
            current.parser.rebase(current.header.data());
        }
        auto& request = current.request.make([&] { return start_request(current); });
        auto handle = awaits_body ? &handlers::admit_now : &handlers::dispatch_now;
        auto& outcome =
            current.outcome.make([&] { return handle(registry_.routes, registry_.context, request); });
        if (awaits_body) {
            bool is_answered = co_await answer_with_body(current, request, outcome);
            if (!is_answered)
                co_return;
        } else if (auto pending = std::get_if<handlers::pending>(&outcome)) {
            auto answer = handlers::dispatch(std::move(*pending));
            outcome = co_await std::move(answer);
        }

        // Respond.
        auto& reply = std::get<handlers::reply>(outcome);
        respond(reply, &request);
        if (has_unwritten())
            co_await write_rest();
        registry_.context.spare_headers.give_back(std::move(reply.headers));
        if (awaits_body)
            release_body();
        answered_ = true;

        // Yield to the other ready connections. If there were any, the next request has often arrived, and is
        // read at once: a read that waits for the reactor costs two more passes through its queue.
        if (!reader_.has_unparsed()) {
            auto turns = ++registry_.turns;
            co_await asio::post(socket_.get_executor(), asio::deferred);
            may_have_arrived = registry_.turns != turns;
        }
    }
}

} // namespace server
