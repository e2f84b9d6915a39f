// Content negotiation: the coding in which a client wants to receive a file.
#pragma once

#include "handlers/http/message.hpp"

#include <string_view>

namespace handlers {

enum class content_coding { identity, gzip, brotli };

/// The name in Content-Encoding; empty for identity.
std::string_view to_text(content_coding coding);

/// The codings that a file exists in, besides identity.
struct available_codings {
    bool brotli = false, gzip = false;
};

/** The coding with the greatest weight in Accept-Encoding (RFC 9110, section 12.5.3); of equal ones brotli,
    then gzip. Identity where the header is absent, malformed or rejects everything: a file that a client can
    ignore is better than an error. Of several header lines, all count. */
content_coding choose_coding(const request& req, available_codings available);

} // namespace handlers
