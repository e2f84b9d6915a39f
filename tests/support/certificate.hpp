// A certificate for the servers that tests talk to.
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <string>

namespace support {

/** A key (P-256) and a certificate that it has signed itself, valid for a day, as PEM files in a folder of
   their own. Who takes the certificate for its list of authorities, as OpenSSL does by SSL_CERT_FILE, trusts
   it. */
class certificate {
public:
    /// @param names as OpenSSL writes a subjectAltName. @throw runtime_error if it does not understand them
    /// @param seconds from now until it ends; negative: it has ended
    explicit certificate(const std::string& names = "DNS:localhost,IP:127.0.0.1",
                         long seconds = 24L * 60 * 60);

    /// Paths.
    std::string key() const { return folder_.path() + "/key.pem"; }
    std::string cert() const { return folder_.path() + "/cert.pem"; }

private:
    temporary_folder folder_;
};

} // namespace support
