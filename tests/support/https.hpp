// HTTPS GET, for the browser's part of an OpenID sign-in.
#pragma once

#include "tests/support/http.hpp"

#include <string>

namespace support {

/** GET https://localhost:PORT/…, without following redirects and without a time limit.
    @param authorities the path of the certificates to trust
    @throw runtime_error if there is no response, or the certificate is not trusted */
response https_get(const std::string& url, const std::string& authorities);

} // namespace support
