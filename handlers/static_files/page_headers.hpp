// Headers of the HTML documents of this site.
#pragma once

#include "handlers/http/message.hpp"

namespace handlers {

/** Adds the headers that confine a page to this site's own scripts, styles and requests:
   Content-Security-Policy with trusted types, cross-origin isolation of its window and body, no referrer.
   Without `unsafe-inline`: a page has no inline script, style or `style` attribute. */
void add_page_headers(reply& out);

/// The same for a page with scripts that write HTML themselves, which trusted types would not permit.
void add_page_headers_for_legacy_scripts(reply& out);

} // namespace handlers
