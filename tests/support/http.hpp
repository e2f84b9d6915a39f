// A client for tests: one connection, one request at a time, and the bytes themselves where HTTP is to be
// broken.
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

/// One answer, whole.
struct response {
    unsigned status = 0;
    http::fields headers;
    std::string body;

    /// The value of a header; empty if there is none.
    std::string header(std::string_view name) const { return std::string(headers[name]); }

    /// @throw if the body is no JSON
    boost::json::value json() const;

    /// The body's member at a JSON pointer such as "/user/id", if that is a string; else empty.
    std::string text(std::string_view pointer) const;

    /// The body's "code"; empty where there is none, a body without JSON included.
    std::string code() const { return text("/code"); }
};

/// A JSON object as text: object({{"email", email}, {"name", nullptr}}).
std::string
object(std::initializer_list<std::pair<boost::json::string_view, boost::json::value_ref>> members);

/** Talks to a server at 127.0.0.1. Connects when first needed, and again after the connection was closed.
    Whatever fails throws boost::system::system_error; the next call then begins with a new connection. */
class http_client {
public:
    /// @param from the address to connect from; all of 127.0.0.0/8 are ours
    explicit http_client(std::uint16_t port, std::string from = "127.0.0.1");

    response get(std::string_view path, std::string_view token = {});
    response del(std::string_view path, std::string_view token = {});
    response post(std::string_view path, std::string body, std::string_view token = {});
    response patch(std::string_view path, std::string body, std::string_view token = {});

    /// A body is sent as application/json; an empty one not at all.
    response send(http::verb method, std::string_view path, std::string body, std::string_view token);
    response send(http::request<http::string_body> message);

    /// Send this header with every request from now on; an empty value ends that.
    void set(std::string name, std::string value);

    /// How long to wait for one answer; 30 s unless told.
    void set_timeout(std::chrono::milliseconds limit) { timeout_ = limit; }

    /// What is answered is not the server's own word, as through a proxy: it is not held against the
    /// document.
    void speak_through_others() { keeps_ = false; }

    void disconnect();

private:
    void connect();

    std::uint16_t port_;
    std::string from_;
    bool keeps_ = true;
    std::chrono::milliseconds timeout_{30'000};
    std::vector<std::pair<std::string, std::string>> headers_;
    boost::asio::io_context io_{1};
    std::optional<boost::beast::tcp_stream> stream_;
    boost::beast::flat_buffer buffer_;
};

/** A connection for bytes that need not be HTTP. */
class raw_connection {
public:
    explicit raw_connection(std::uint16_t port);

    /// @return false if the other side has closed the connection
    bool send(std::string_view bytes);

    /// No more will be sent; the other side can still answer.
    void end_sending();

    /// The next answer. @throw if none comes in time, or what comes is none
    response receive(std::chrono::milliseconds limit = std::chrono::seconds(30));

    /// All bytes until the other side closes. @return nothing if it does not in time
    std::optional<std::string> receive_all(std::chrono::milliseconds limit = std::chrono::seconds(30));

private:
    boost::asio::io_context io_{1};
    boost::beast::tcp_stream stream_;
    boost::beast::flat_buffer buffer_;
};

} // namespace support
