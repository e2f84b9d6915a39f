// Conditional requests: If-None-Match.
#pragma once

#include "handlers/http/message.hpp"

#include <string_view>

namespace handlers {

/** Whether If-None-Match lists the entity tag of what a GET or HEAD would show, so that the answer is 304
    (RFC 9110, section 13.1.2). `*` lists every tag; tags are compared weakly: `W/"a"` is `"a"`. Of several
    header lines, all count. A list ends where it is malformed.
    @param etag with its quotes, strong or weak */
bool is_none_match(const request& req, std::string_view etag);

} // namespace handlers
