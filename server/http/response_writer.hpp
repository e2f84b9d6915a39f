// Response writer: serializes a response into one buffer, by hand, since it runs for every request.
#pragma once

#include "handlers/http/message.hpp"

#include <string>
#include <string_view>

namespace server {

/// The inputs of a response header besides the reply.
struct response_options {
    std::string_view request_id;
    /// IMF-fixdate.
    std::string_view date;
    bool is_head = false;
    bool keep_alive = true;
    /// The client needs an explicit `Connection: keep-alive`.
    bool is_http_1_0 = false;
};

/** Append the response to `out`, with one copy of the body.
    @return the static body if it is large: it is not copied, and to be written next */
std::string_view write_response(std::string& out, const handlers::reply& reply,
                                const response_options& options);

/// The current time as IMF-fixdate (RFC 9110, section 5.6.7).
std::string http_date();

} // namespace server
