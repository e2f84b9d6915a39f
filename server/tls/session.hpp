// TLS session: the encryption of one connection, between its socket and its buffers.
#pragma once

#include "handlers/metrics/handshakes.hpp"
#include "server/tls/context.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/system/error_code.hpp>

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace server {

/** Encrypts what one connection sends and decrypts what it receives. Never waits: the connection awaits its
    socket, as it does without TLS. Records are encrypted into OpenSSL's buffer and sent from there. Received
   bytes lie where the connection reads into; OpenSSL takes them, and their plaintext goes to the same place.
   That copy of what was received is cheaper than the epoll_ctl() that waiting for a socket without reading
   needs. */
class tls_session {
public:
    /// @param socket a non-blocking one, which outlives this
    tls_session(std::shared_ptr<const tls_context> context, int socket);
    tls_session(const tls_session&) = delete;
    tls_session& operator=(const tls_session&) = delete;

    enum class state { established, needs_input, needs_output, failed };

    /** Continue the handshake. The server's part is one signature and one key exchange: with OpenSSL 3.0 on
       one core of an EPYC some 0.1 ms with a P-256 key, 0.35 ms with RSA-2048. So it runs on the reactor.
        @param received what the socket has received since the last call */
    state shake_hands(std::string_view received);

    /// What the handshake has come to: `full` or `resumed`, or why it failed.
    handlers::handshake outcome() const { return outcome_; }

    /// OpenSSL's reason for the failure.
    const std::string& failure() const { return failure_; }

    /// Whether decrypt() needs bytes from the socket; otherwise it has some left.
    bool needs_input() const { return needs_input_; }

    /** Decrypt.
        @param space for the plaintext; received bytes are at its beginning
        @param received their number; 0 unless needs_input()
        @param error of the socket, which ends the session; set for the end of the session, by either side
        @return the size of the plaintext, often 0 */
    std::size_t decrypt(boost::asio::mutable_buffer space, std::size_t received,
                        boost::system::error_code& error);

    /** Encrypt and send as much as the socket accepts. What is not accepted must be passed again, unchanged.
        @return number of bytes sent, of the plaintext */
    std::size_t write(std::string_view bytes, boost::system::error_code& error);

    /// Send close_notify, as far as the socket takes it.
    void close();

private:
    struct bio;

    void keep_input();
    void fail();

    std::shared_ptr<const tls_context> context_;
    crypto::openssl_ptr<SSL, &SSL_free> connection_;
    int socket_;
    /// Received bytes that OpenSSL has not taken yet: borrowed from the caller, or in left_over_.
    std::string_view input_;
    std::string left_over_;
    bool is_borrowed_ = false;
    std::string failure_;
    handlers::handshake outcome_ = handlers::handshake::other;
    bool needs_input_ = false, has_failed_ = false;
};

} // namespace server
