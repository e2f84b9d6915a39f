// The certificate authorities that the system trusts.
#pragma once

#include <openssl/types.h>

namespace handlers {

/** Make a TLS context trust the system's authorities: the file and the folder of OpenSSL's defaults, or of
    SSL_CERT_FILE and SSL_CERT_DIR. Reads them all now, some milliseconds; OpenSSL's own
    SSL_CTX_set_default_verify_paths() leaves the folder to be read during handshakes, which would block the
    reactor. Authorities that the system adds later are trusted after a restart. */
void trust_system_authorities(SSL_CTX* context);

} // namespace handlers
