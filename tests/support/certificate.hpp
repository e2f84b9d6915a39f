// Self-signed certificates for the servers in tests.
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <string>

namespace support {

/** A key (P-256) and its self-signed certificate, valid for a day, as PEM files. A client trusts it if the
    certificate is its list of authorities, as with SSL_CERT_FILE of OpenSSL. */
class certificate {
public:
    /// @param names in OpenSSL's syntax of subjectAltName. @throw runtime_error if they are malformed
    /// @param seconds from now until it expires; negative: it has expired
    explicit certificate(const std::string& names = "DNS:localhost,IP:127.0.0.1",
                         long seconds = 24L * 60 * 60);

    /// Paths.
    std::string key() const { return folder_.path() + "/key.pem"; }
    std::string cert() const { return folder_.path() + "/cert.pem"; }

private:
    temporary_folder folder_;
};

} // namespace support
