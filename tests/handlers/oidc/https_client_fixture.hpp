// Fixture for the HTTPS client, and servers that misbehave in all ways.
#pragma once

#include "handlers/oidc/https_client.hpp"
#include "tests/support/certificate.hpp"
#include "tests/support/io.hpp"
#include "tests/support/tcp_server.hpp"
#include "tests/support/temporary_folder.hpp"
#include "tests/support/text.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/asio/write.hpp>

#include <openssl/ssl.h>

#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

namespace handlers::test {

namespace asio = boost::asio;
using support::certificate;
using support::has;
using support::make_response;
using support::read_request;
using support::tcp_server;
using tls_stream = asio::ssl::stream<tcp_server::socket&>;

inline void send(auto& to, std::string_view text)
{
    asio::write(to, asio::buffer(text));
}

/// Until the peer closes the connection.
inline void send_endlessly(auto& to, std::string_view text)
{
    for (;;)
        send(to, text);
}

/// Sends nothing until the peer closes the connection.
inline void stay_silent(tcp_server::socket& peer)
{
    char c;
    while (::recv(peer.native_handle(), &c, 1, 0) > 0) {
    }
}

/// Makes the kernel answer with RST.
inline void reset(tcp_server::socket& peer)
{
    sockaddr nowhere{};
    nowhere.sa_family = AF_UNSPEC;
    ::connect(peer.native_handle(), &nowhere, sizeof nowhere);
}

inline tcp_server::behaviour over_tls(const certificate& with, std::function<void(tls_stream&)> serve,
                                      int newest = TLS1_3_VERSION)
{
    auto settings = std::make_shared<asio::ssl::context>(asio::ssl::context::tls_server);
    settings->use_private_key_file(with.key(), asio::ssl::context::pem);
    settings->use_certificate_file(with.cert(), asio::ssl::context::pem);
    SSL_CTX_set_security_level(settings->native_handle(), 0);
    SSL_CTX_set_max_proto_version(settings->native_handle(), newest);
    return [settings, serve](tcp_server::socket& peer) {
        tls_stream stream(peer, *settings);
        stream.handshake(asio::ssl::stream_base::server);
        serve(stream);
    };
}

inline tcp_server::behaviour over_plain(std::string reply)
{
    return [reply](tcp_server::socket& peer) {
        read_request(peer);
        send(peer, reply);
    };
}

inline const certificate& home()
{
    static const certificate made("DNS:localhost,IP:127.0.0.1");
    return made;
}

/// A client and its thread.
struct https_client_fixture {
    https_client_fixture() { settings.deadline = std::chrono::seconds(2); }

    void trust(const certificate& authority)
    {
        settings.ca_file = folder.path() + "/ca.pem";
        std::filesystem::copy_file(authority.cert(), settings.ca_file,
                                   std::filesystem::copy_options::overwrite_existing);
    }

    https_client& client()
    {
        if (!made)
            made.emplace(io.get_executor(), settings);
        return *made;
    }

    http_response get(std::string url)
    {
        return support::run(io, [&] { return client().get(url); }, std::chrono::seconds(20));
    }

    /// Why the call failed; empty on success.
    std::string failure_of(const std::string& url)
    {
        try {
            get(url);
        } catch (const https_failure& e) {
            return e.what();
        }
        return {};
    }

    std::string failure_of(const tcp_server::behaviour& behaviour, std::string_view scheme = "http")
    {
        tcp_server server(behaviour);
        return failure_of(std::string(scheme) + "://localhost:" + std::to_string(server.port()) + "/a");
    }

    support::temporary_folder folder;
    https_client::config settings;
    asio::io_context io{1};
    std::optional<https_client> made;
};

inline std::string url_of(const tcp_server& server, std::string_view scheme = "http",
                          std::string_view path = "/a")
{
    return std::string(scheme) + "://127.0.0.1:" + std::to_string(server.port()) + std::string(path);
}

} // namespace handlers::test
