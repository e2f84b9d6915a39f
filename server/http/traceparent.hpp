// traceparent: the trace context of a request (W3C Trace Context).
#pragma once

#include "handlers/http/request_head.hpp"

#include <optional>
#include <string_view>

namespace server {

/// The ids of a `traceparent` header (W3C Trace Context, section 3.2). Refers to the header.
struct traceparent {
    /// 32 hexadecimal digits.
    std::string_view trace_id;
    /// 16 hexadecimal digits.
    std::string_view parent_id;

    /// @return nothing if the header is missing, repeated or malformed
    static std::optional<traceparent> read(const handlers::request_head& head);
};

} // namespace server
