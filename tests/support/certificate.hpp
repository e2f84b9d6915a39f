// Certificates for the servers and clients in tests.
#pragma once

#include "tests/support/temporary_folder.hpp"

#include <string>

namespace support {

class certificate;

struct certificate_options {
    /// In OpenSSL's syntax of subjectAltName; any text for an authority.
    std::string names = "DNS:localhost,IP:127.0.0.1";
    /// From now until it expires; negative: it has expired.
    long seconds = 24L * 60 * 60;
    /// Size of an RSA key; 0: a P-256 key.
    unsigned rsa_bits = 0;
    /// Whether it may sign others.
    bool is_authority = false;
    /// Null: it is self-signed.
    const certificate* issuer = nullptr;
};

/** A key and its certificate, as PEM files. A client trusts a self-signed one if the certificate is its list
   of authorities, as with SSL_CERT_FILE of OpenSSL. */
class certificate {
public:
    /// @throw runtime_error if the options are malformed
    explicit certificate(const certificate_options& options);

    /// A self-signed one with a P-256 key.
    explicit certificate(const std::string& names = "DNS:localhost,IP:127.0.0.1",
                         long seconds = 24L * 60 * 60);

    /// Paths.
    std::string key() const { return folder_.path() + "/key.pem"; }
    std::string cert() const { return folder_.path() + "/cert.pem"; }

    /// Replace the files of another one by copies of these, each at once.
    void replace(const certificate& other) const;

private:
    temporary_folder folder_;
};

/// The content of a file. @throw runtime_error if it cannot be read
std::string file_content(const std::string& path);

/// Replace a file at once: by renaming.
void replace_file(const std::string& path, const std::string& content);

} // namespace support
