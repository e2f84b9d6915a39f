// A TLS client with everything that a test may want to choose.
#pragma once

#include "tests/support/http.hpp"

#include <openssl/ssl.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

namespace support {

/// A session with its ticket, serialized: OpenSSL would use an object only once.
using tls_ticket = std::string;

struct tls_options {
    /// TLS1_VERSION to TLS1_3_VERSION; 0: what OpenSSL chooses.
    int least_version = 0, greatest_version = 0;
    /// OpenSSL's list for up to TLS 1.2, and the suites of TLS 1.3; empty: its default.
    std::string ciphers = {}, suites_1_3 = {};
    /// Comma-separated protocols of ALPN; empty: none.
    std::string protocols = {};
    /// Paths of the client's certificate and key; empty: none.
    std::string cert = {}, key = {};
    /// Path of the certificates to trust; empty: all.
    std::string authorities = {};
    /// From a connection before; empty: none.
    tls_ticket ticket = {};
    /// Sent before TLS begins, such as a PROXY header.
    std::string before = {};
};

/** A connection to 127.0.0.1, in blocking operations of 30 s at most. */
class tls_client {
public:
    /// Connect and shake hands. @throw runtime_error with OpenSSL's reason for a failure
    explicit tls_client(std::uint16_t port, const tls_options& options = {});

    /// Sends close_notify.
    ~tls_client();

    /// @return whether the server has taken them
    bool send(std::string_view bytes);

    /// Everything until the connection ends, or `limit` bytes.
    std::string receive(std::size_t limit = static_cast<std::size_t>(-1));

    /// GET a path over this connection. @throw runtime_error if there is no response
    response get(std::string_view path, std::string_view token = {}, std::string_view more = {});

    /// Send a request, of its whole text. @throw runtime_error if there is no response
    response exchange(std::string_view request);

    /// TLSv1.3, for instance.
    std::string version() const { return SSL_get_version(tls_.get()); }
    std::string cipher() const { return SSL_get_cipher_name(tls_.get()); }
    /// The protocol of ALPN; empty: none was chosen.
    std::string protocol() const;
    bool is_resumed() const { return SSL_session_reused(tls_.get()) == 1; }
    /// SHA-256 of the server's certificate, in hex.
    std::string fingerprint() const;
    /// The newest; empty if the server has sent none. In TLS 1.3 it arrives with the first response.
    const tls_ticket& ticket() const { return ticket_; }
    /// Of the ticket, in seconds.
    unsigned long ticket_lifetime() const { return ticket_lifetime_; }

    SSL* native() { return tls_.get(); }

    /// Whether the server has ended TLS with close_notify. Call once receive() has returned.
    bool is_closed_gracefully() const { return (SSL_get_shutdown(tls_.get()) & SSL_RECEIVED_SHUTDOWN) != 0; }

private:
    struct socket {
        explicit socket(std::uint16_t port);
        ~socket();
        int number;
    };
    static int keep_ticket(SSL* tls, SSL_SESSION* session);

    tls_ticket ticket_;
    unsigned long ticket_lifetime_ = 0;
    socket socket_;
    std::unique_ptr<SSL_CTX, decltype(&SSL_CTX_free)> context_;
    std::unique_ptr<SSL, decltype(&SSL_free)> tls_;
    std::string received_;
};

/// What OpenSSL says of the failure to shake hands; empty if it succeeds.
std::string handshake_error(std::uint16_t port, const tls_options& options);

/// SHA-256 of the certificate in a PEM file, in hex.
std::string fingerprint_of(const std::string& cert_path);

} // namespace support
