// HTTP clients: one connection with one request at a time, and raw bytes for malformed requests.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/fields.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/string_body.hpp>
#include <boost/json/value.hpp>
#include <boost/json/value_ref.hpp>

#include <chrono>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace support {

namespace http = boost::beast::http;

/// A complete response.
struct response {
    unsigned status = 0;
    http::fields headers;
    std::string body;

    /// The value of a header; empty if there is none.
    std::string header(std::string_view name) const { return std::string(headers[name]); }

    /// @throw if the body is not JSON
    boost::json::value json() const;

    /// The string at a JSON pointer such as "/user/id" into the body; empty if it is not a string.
    std::string text(std::string_view pointer) const;

    /// The "code" member of the body; empty if there is none.
    std::string code() const { return text("/code"); }
};

response to_response(http::response<http::string_body> message);

/// A JSON object as text: object({{"email", email}, {"name", nullptr}}).
std::string
object(std::initializer_list<std::pair<boost::json::string_view, boost::json::value_ref>> members);

/** A client of a server at 127.0.0.1. Connects on first use, and again after the connection was closed.
    A failed call throws boost::system::system_error; the next one uses a new connection. */
class http_client {
public:
    /// @param from the address to connect from, any of 127.0.0.0/8
    explicit http_client(std::uint16_t port, std::string from = "127.0.0.1");

    response get(std::string_view path, std::string_view token = {});
    response del(std::string_view path, std::string_view token = {});
    response post(std::string_view path, std::string body, std::string_view token = {});
    response patch(std::string_view path, std::string body, std::string_view token = {});

    /// A body is sent as application/json, unless it is empty.
    response send(http::verb method, std::string_view path, std::string body, std::string_view token);
    response send(http::request<http::string_body> message);

    /// Send this header with every request from now on; an empty value removes it.
    void set(std::string name, std::string value);

    /// The limit for one response; 30 s by default.
    void set_timeout(std::chrono::milliseconds limit) { timeout_ = limit; }

    /// Do not validate responses against the OpenAPI document, as behind a proxy that sends its own.
    void skip_recording() { is_recording_ = false; }

    void disconnect();

private:
    void connect();

    std::uint16_t port_;
    std::string from_;
    bool is_recording_ = true;
    std::chrono::milliseconds timeout_{30'000};
    std::vector<std::pair<std::string, std::string>> headers_;
    boost::asio::io_context io_{1};
    std::optional<boost::beast::tcp_stream> stream_;
    boost::beast::flat_buffer buffer_;
};

/// A TCP connection for arbitrary bytes.
class raw_connection {
public:
    explicit raw_connection(std::uint16_t port);

    /// @return false if the server has closed the connection
    bool send(std::string_view bytes);

    /// Half-close: the server can still respond.
    void end_sending();

    /// The next response. @throw if none arrives in time or it is malformed
    response receive(std::chrono::milliseconds limit = std::chrono::seconds(30));

    /// All bytes until the server closes the connection. @return nothing if it does not in time
    std::optional<std::string> receive_all(std::chrono::milliseconds limit = std::chrono::seconds(30));

private:
    boost::asio::io_context io_{1};
    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
};

} // namespace support
