// What a server answered, kept for whoever compares it with the document.
#pragma once

#include "tests/support/http.hpp"

namespace support {

/** Append one line of JSON about an exchange to a file of this process in the folder that
   LATCHKEY_TEST_EXCHANGES names; without one, do nothing. Answers of no server of ours are left out, and so
   are repetitions: of one shape of answer, told by method, path, status and code, a few are enough. */
void keep_exchange(const http::request<http::string_body>& asked, const response& answer);

} // namespace support
