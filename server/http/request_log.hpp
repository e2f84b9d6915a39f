// Request log: one line per request, and the validation of request ids that clients supply.
#pragma once

#include "handlers/http/message.hpp"

#include <boost/asio/ip/address.hpp>

#include <chrono>
#include <string_view>

namespace server {

/** Whether a client's X-Request-Id may be repeated in headers and logs: at most 128 ASCII alphanumerics, `-`,
    `_` and `.`. */
bool is_valid_request_id(std::string_view id);

/** Log one request: at `info` changes and client errors, at `debug` the routine responses to other services,
    tens of thousands per second. The route is logged in place of the path, so that nothing from a
    client's URL reaches the log.
    @param request null if it could not be parsed
    @param remote address of the socket's other end */
void log_request(const handlers::reply& reply, const handlers::request* request, std::string_view request_id,
                 const boost::asio::ip::address& remote, std::chrono::nanoseconds duration);

} // namespace server
