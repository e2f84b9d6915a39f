// A browser's part of a sign-in elsewhere.
#pragma once

#include "tests/support/http.hpp"

#include <string>

namespace support {

/** GET https://localhost:PORT/…, without following redirects. Waits for as long as it takes.
    @param authorities the path of the certificates to trust
    @throw runtime_error if there is no answer, or from somebody else */
response https_get(const std::string& url, const std::string& authorities);

} // namespace support
