// A TCP server with scripted behavior and a thread per connection, for tests of clients.
#pragma once

#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http/message.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/http/string_body.hpp>

#include <sys/socket.h>

#include <cstdint>
#include <functional>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <thread>
#include <utility>

namespace support {

/// Listens on 127.0.0.1. An exception in the behavior ends its connection; the destructor ends all of them.
class tcp_server {
public:
    using socket = boost::asio::ip::tcp::socket;
    using behaviour = std::function<void(socket&)>;

    explicit tcp_server(behaviour serve)
        : serve_(std::move(serve)), acceptor_(io_, {boost::asio::ip::address_v4::loopback(), 0}),
          listener_([this] { accept(); })
    {}

    ~tcp_server()
    {
        ::shutdown(acceptor_.native_handle(), SHUT_RDWR);
        listener_.join();
        for (auto& each : connections_) {
            ::shutdown(each.peer.native_handle(), SHUT_RDWR);
            each.thread.join();
        }
    }

    std::uint16_t port() const { return acceptor_.local_endpoint().port(); }

private:
    struct connection {
        explicit connection(socket from) : peer(std::move(from)) {}
        socket peer;
        std::thread thread;
    };

    void accept()
    {
        boost::system::error_code error;
        for (;;) {
            auto peer = acceptor_.accept(error);
            if (error)
                return;
            auto& made = connections_.emplace_back(std::move(peer));
            made.thread = std::thread([this, &made] {
                try {
                    serve_(made.peer);
                } catch (const std::exception&) { // the client has disconnected
                }
                // Closed by the destructor, which needs the descriptor.
                ::shutdown(made.peer.native_handle(), SHUT_RDWR);
            });
        }
    }

    behaviour serve_;
    boost::asio::io_context io_;
    boost::asio::ip::tcp::acceptor acceptor_;
    /// Accessed by the listener's thread until it has ended.
    std::list<connection> connections_;
    std::thread listener_;
};

using received_request = boost::beast::http::request<boost::beast::http::string_body>;

/// Read a complete request. @throw boost::system::system_error
template <class Stream>
received_request read_request(Stream& from)
{
    boost::beast::flat_buffer buffer;
    received_request out;
    boost::beast::http::read(from, buffer, out);
    return out;
}

/// A response with a Content-Length. @param headers further lines, each with its line end
inline std::string make_response(std::string_view status, std::string_view body,
                                 std::string_view headers = {})
{
    std::string out = "HTTP/1.1 ";
    out.append(status).append("\r\nContent-Length: ").append(std::to_string(body.size())).append("\r\n");
    return out.append(headers).append("\r\n").append(body);
}

} // namespace support
