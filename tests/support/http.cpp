#include "tests/support/http.hpp"

#include "tests/support/exchanges.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/read.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/write.hpp>
#include <boost/json/parse.hpp>
#include <boost/json/serialize.hpp>

#include <netinet/in.h>

#include <algorithm>
#include <limits>

namespace support {

namespace asio = boost::asio;
using boost::system::error_code;

namespace {

asio::ip::tcp::endpoint local(std::string_view address, std::uint16_t port)
{
    return {asio::ip::make_address(address), port};
}

/** Execute one asynchronous operation, which unlike a blocking one can time out.
    @param start receives the handler, of any signature that begins with an error_code
    @return its error */
template <class Start>
error_code wait_for(asio::io_context& io, Start start)
{
    error_code outcome = asio::error::operation_aborted;
    start([&outcome](error_code error, auto&&...) { outcome = error; });
    io.restart();
    io.run();
    return outcome;
}

void check(error_code error)
{
    if (error)
        throw boost::system::system_error(error);
}

response read_response(asio::io_context& io, boost::beast::tcp_stream& stream,
                       boost::beast::flat_buffer& buffer, bool has_no_body)
{
    http::response_parser<http::string_body> parser;
    parser.body_limit(std::numeric_limits<std::uint64_t>::max());
    parser.skip(has_no_body);
    check(wait_for(io, [&](auto done) { http::async_read(stream, buffer, parser, std::move(done)); }));
    return to_response(parser.release());
}

} // namespace

response to_response(http::response<http::string_body> message)
{
    response out;
    out.status = message.result_int();
    out.body = std::move(message.body());
    out.headers = std::move(message.base());
    return out;
}

boost::json::value response::json() const
{
    return boost::json::parse(body);
}

std::string response::text(std::string_view pointer) const
{
    error_code ignored;
    auto value = boost::json::parse(body, ignored);
    auto found = value.find_pointer(pointer, ignored);
    return found && found->is_string() ? std::string(found->get_string()) : std::string();
}

std::string object(std::initializer_list<std::pair<boost::json::string_view, boost::json::value_ref>> members)
{
    return boost::json::serialize(boost::json::object(members));
}

http_client::http_client(std::uint16_t port, std::string from) : port_(port), from_(std::move(from)) {}

response http_client::get(std::string_view path, std::string_view token)
{
    return send(http::verb::get, path, {}, token);
}

response http_client::del(std::string_view path, std::string_view token)
{
    return send(http::verb::delete_, path, {}, token);
}

response http_client::post(std::string_view path, std::string body, std::string_view token)
{
    return send(http::verb::post, path, std::move(body), token);
}

response http_client::patch(std::string_view path, std::string body, std::string_view token)
{
    return send(http::verb::patch, path, std::move(body), token);
}

response http_client::send(http::verb method, std::string_view path, std::string body, std::string_view token)
{
    http::request<http::string_body> message(method, path, 11);
    if (!token.empty())
        message.set(http::field::authorization, "Bearer " + std::string(token));
    if (!body.empty())
        message.set(http::field::content_type, "application/json");
    message.body() = std::move(body);
    return send(std::move(message));
}

response http_client::send(http::request<http::string_body> message)
{
    if (message[http::field::host].empty())
        message.set(http::field::host, "127.0.0.1");
    for (auto& [name, value] : headers_)
        message.set(name, value);
    message.prepare_payload();

    try {
        if (!stream_)
            connect();
        stream_->expires_after(timeout_);
        // A server may refuse a message and close the connection before it has received all of it.
        auto sent = wait_for(io_, [&](auto done) { http::async_write(*stream_, message, std::move(done)); });
        if (sent != asio::error::broken_pipe && sent != asio::error::connection_reset)
            check(sent);
        auto out = read_response(io_, *stream_, buffer_, message.method() == http::verb::head);
        if (is_recording_)
            record_exchange(message, out);
        if (http::token_list(out.header("Connection")).exists("close"))
            disconnect();
        return out;
    } catch (const boost::system::system_error&) {
        disconnect();
        throw;
    }
}

void http_client::set(std::string name, std::string value)
{
    std::erase_if(headers_, [&](const auto& header) { return header.first == name; });
    if (!value.empty())
        headers_.emplace_back(std::move(name), std::move(value));
}

void http_client::connect()
{
    stream_.emplace(io_);
    stream_->socket().open(asio::ip::tcp::v4());
    // The port is chosen by connect(), not by bind(), which takes none that another socket used within a
    // minute.
    using bind_address_no_port = asio::detail::socket_option::boolean<IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT>;
    stream_->socket().set_option(bind_address_no_port(true));
    stream_->socket().bind(local(from_, 0));
    stream_->socket().connect(local("127.0.0.1", port_));
    stream_->socket().set_option(asio::ip::tcp::no_delay(true));
}

void http_client::disconnect()
{
    stream_.reset();
    buffer_.clear();
}

raw_connection::raw_connection(std::uint16_t port) : stream_(io_)
{
    stream_.socket().connect(local("127.0.0.1", port));
    stream_.socket().set_option(asio::ip::tcp::no_delay(true));
}

bool raw_connection::send(std::string_view bytes)
{
    stream_.expires_after(std::chrono::seconds(30));
    return !wait_for(io_, [&](auto done) {
        asio::async_write(stream_, asio::buffer(bytes.data(), bytes.size()), std::move(done));
    });
}

void raw_connection::end_sending()
{
    error_code ignored;
    stream_.socket().shutdown(asio::ip::tcp::socket::shutdown_send, ignored);
}

response raw_connection::receive(std::chrono::milliseconds limit)
{
    stream_.expires_after(limit);
    return read_response(io_, stream_, buffer_, false);
}

std::optional<std::string> raw_connection::receive_all(std::chrono::milliseconds limit)
{
    stream_.expires_after(limit);
    auto bytes = buffer_.cdata(); // received together with the last response
    std::string out(static_cast<const char*>(bytes.data()), bytes.size());
    buffer_.clear();
    auto rest = asio::dynamic_buffer(out);
    auto error = wait_for(io_, [&](auto done) { asio::async_read(stream_, rest, std::move(done)); });
    if (error == boost::beast::error::timeout)
        return std::nullopt;
    return out;
}

} // namespace support
