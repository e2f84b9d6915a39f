// Streams of bytes to a server: TCP, or TLS over it.
#pragma once

#include "crypto/openssl_ptr.hpp"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <cstddef>
#include <span>
#include <string>
#include <string_view>

namespace bench {

/// The address of a server, and its protocol.
struct server_address {
    sockaddr_storage bytes{};
    socklen_t size = 0;
    bool uses_tls = false;
    /// The host, as sent in a TLS handshake (SNI). Empty if it is a numeric address.
    std::string name;

    const sockaddr* get() const;
};

/** The TLS side of the streams of one thread: TLS 1.3 and ALPN `http/1.1`. Certificates are not verified: the
    servers of a run have self-signed ones, and receive only what was made for the run. */
class tls_client {
public:
    /// @param resumes whether each connection resumes the latest session of this object
    explicit tls_client(bool resumes = false) : resumes_(resumes) {}
    tls_client(const tls_client&) = delete;
    tls_client& operator=(const tls_client&) = delete;

    /// A connection before its handshake, without a BIO. @throw failure
    crypto::openssl_ptr<SSL, &SSL_free> make_connection(const std::string& name);

private:
    using session_ptr = crypto::openssl_ptr<SSL_SESSION, &SSL_SESSION_free>;

    void make_context();
    static int keep_session(SSL* of, SSL_SESSION* session);

    bool resumes_;
    crypto::openssl_ptr<SSL_CTX, &SSL_CTX_free> context_;
    session_ptr latest_;
};

/// One connection to a server.
class stream {
public:
    /// What became of an operation. On a blocking stream, `needs_input` is a timeout.
    enum class status { done, needs_input, needs_output, closed };

    struct transfer {
        status what = status::closed;
        std::size_t bytes = 0;
    };

    enum class mode { blocking, nonblocking };

    stream() = default;
    ~stream() { close(); }
    stream(const stream&) = delete;
    stream& operator=(const stream&) = delete;

    /** Make the socket.
        @param where must outlive the connection
        @return whether it was made; errno says why not */
    bool open(const server_address& where, mode how);

    /** Connect, and shake hands if the server uses TLS. To be repeated when the socket is ready, until the
        result is `done` or `closed`; errno says why. @throw failure if OpenSSL fails */
    status connect(tls_client& tls);

    transfer receive(std::span<char> space);
    /// After `needs_output` the same bytes have to be sent next.
    transfer send(std::string_view bytes);

    /// Whether received bytes wait in the TLS layer, where epoll does not see them.
    bool has_pending() const { return tls_ && SSL_has_pending(tls_.get()); }

    /// Whether the handshake resumed a session.
    bool is_resumed() const { return tls_ && SSL_session_reused(tls_.get()); }
    bool uses_tls() const { return tls_ != nullptr; }

    void close();
    bool is_open() const { return socket_ >= 0; }
    int native() const { return socket_; }

private:
    struct bio;
    enum class phase { fresh, connecting, handshake, established };

    void start_tls(tls_client& tls);
    status shake_hands();
    transfer result_of(int code, std::size_t bytes);

    int socket_ = -1;
    phase phase_ = phase::fresh;
    const server_address* where_ = nullptr;
    crypto::openssl_ptr<SSL, &SSL_free> tls_;
};

} // namespace bench
