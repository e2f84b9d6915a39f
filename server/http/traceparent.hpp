// Whose trace a request belongs to: W3C Trace Context.
#pragma once

#include <boost/beast/http/fields.hpp>

#include <optional>
#include <string_view>

namespace server {

/** The ids of a `traceparent` header (W3C Trace Context, section 3.2). They refer to the header. */
struct trace_parent {
    std::string_view trace_id;  // 32 hexadecimal digits
    std::string_view parent_id; // 16

    /** @return nothing if there is none, more than one, or one that is not well-formed */
    static std::optional<trace_parent> read(const boost::beast::http::fields& header);
};

} // namespace server
