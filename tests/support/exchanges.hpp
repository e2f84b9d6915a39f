// Recording of HTTP exchanges, to be validated against the OpenAPI document.
#pragma once

#include "tests/support/http.hpp"

namespace support {

/** Append a request and its response as a line of JSON to a file of this process, in the folder named by
    LATCHKEY_TEST_EXCHANGES; without that variable, do nothing. Responses of other servers are skipped, and so
    are repetitions: the first 20 of each combination of method, path, status and code suffice. */
void record_exchange(const http::request<http::string_body>& request, const response& answer);

} // namespace support
