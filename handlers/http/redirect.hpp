// Redirects of browsers.
#pragma once

#include "handlers/http/message.hpp"

#include <string_view>

namespace handlers {

/** Sends a browser to another place. It tells that place nothing about where it comes from: the address of a
    page may hold a token.
    @param status 302, or 303 after a form, so that the browser continues with GET (RFC 9110, section 15.4)
    @param location a path of this site, or a URL */
reply redirect(unsigned status, std::string_view location);

} // namespace handlers
