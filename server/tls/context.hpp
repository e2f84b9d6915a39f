// TLS context: certificate, key, authorities of clients, and what versions and ciphers are accepted.
#pragma once

#include "crypto/openssl_ptr.hpp"
#include "crypto/wipe.hpp"
#include "server/tls/ticket_keys.hpp"

#include <openssl/ssl.h>

#include <chrono>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>

namespace server {

/// Contents of the files of a server's certificate, in PEM. The key is wiped on destruction.
struct tls_material {
    ~tls_material() { crypto::wipe(key); }

    /// The certificate, and the intermediate ones up to the root.
    std::string certificates;
    std::string key;
    /// Authorities of client certificates; nothing: clients need none. No certificate in it is an error: a
    /// file that is empty, as while it is being written, must not admit clients without one.
    std::optional<std::string> client_authorities;
};

/// Material that cannot be used; the message names the setting.
struct tls_error : std::runtime_error {
    using std::runtime_error::runtime_error;
};

/** What all TLS connections share. Accepted are TLS 1.3 and 1.2, of the latter the cipher suites with
   ephemeral keys and authenticated encryption (RFC 9325), and ALPN `http/1.1`; neither renegotiation nor
   compression nor early data. Sessions are resumed by tickets alone, so that the server stores nothing, and
   in TLS 1.3 alone: a ticket of TLS 1.2 contains the keys of its session, so who has the master key could
   read recorded ones. Immutable and thread-safe. */
class tls_context {
public:
    /// @throw tls_error
    tls_context(const tls_material& material, std::shared_ptr<const ticket_keys> tickets);
    tls_context(const tls_context&) = delete;
    tls_context& operator=(const tls_context&) = delete;

    SSL_CTX* native() const { return context_.get(); }

    /// When the certificate of the server expires.
    std::chrono::system_clock::time_point expires_at() const { return expires_at_; }

    /// SHA-256 of the certificate, in hex.
    const std::string& fingerprint() const { return fingerprint_; }

private:
    void use_certificates(const std::string& pem);
    void use_key(const std::string& pem);
    void require_client_certificates(const std::string& authorities);
    void use_tickets();

    std::shared_ptr<const ticket_keys> tickets_;
    crypto::openssl_ptr<SSL_CTX, &SSL_CTX_free> context_;
    std::chrono::system_clock::time_point expires_at_;
    std::string fingerprint_;
};

} // namespace server
