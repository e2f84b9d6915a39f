// HTML pages behind the links in emails. Each asks for confirmation before it acts.
#pragma once

#include "handlers/http/handler.hpp"

namespace handlers::html_pages {

/** A page reads the token from its URL in the browser, removes it from the address bar, and sends it by POST
    when the user presses the button: link scanners and prefetching consume nothing. No input of the request
    is written into the page. */
reply verify(call& c);
reply reset(call& c);
reply change_email(call& c);
reply invite(call& c);
reply unsubscribe(call& c);
reply claim(call& c);

} // namespace handlers::html_pages
