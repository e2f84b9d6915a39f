// A reply as bytes: one buffer, written by hand, since this is done at every request.
#pragma once

#include "handlers/http/message.hpp"

#include <string>
#include <string_view>

namespace server {

/** What of the request and of the connection shows in a reply's header. */
struct reply_frame {
    std::string_view request_id;
    std::string_view date; // IMF-fixdate, renewed once a second
    bool is_head = false;
    bool keep_alive = true;
    bool old_client = false; // HTTP/1.0, which has to be told that the connection stays
};

/** Append the reply to `out`. No copy of the body besides this one. */
void write_reply(std::string& out, const handlers::reply& reply, const reply_frame& frame);

/** Now as IMF-fixdate (RFC 9110, section 5.6.7). */
std::string http_date();

} // namespace server
