// Protection against cross-site request forgery, by the headers with which browsers say where a request is
// from.
#pragma once

#include "handlers/http/message.hpp"
#include "handlers/http/problem.hpp"
#include "handlers/http/settings.hpp"

#include <optional>
#include <string_view>

namespace handlers {

/// The origin of the public URL, as browsers write it in the Origin header.
std::string_view public_origin(const settings& config);

/** Rejects a request that no page of this site has made.
    - `Sec-Fetch-Site` (W3C Fetch Metadata), which every current browser sends to a trustworthy URL and no
      script can set, has to be `same-origin`: another host of the site does not suffice.
    - Without it, `Origin` has to be the public URL's. With it, `Origin` does not count: it is `null` where
   the page has the referrer policy `no-referrer`, as ours have. A request with neither is refused, also one
   by a program that is no browser.
    @return 403 cross_site_request */
std::optional<problem> check_same_origin(const settings& config, const request& req);

/// Whether a browser says that a page of another origin has led to the request.
bool is_from_elsewhere(const request& req);

/** Adds the headers that confine a reply which is no page: no other site can embed it, and opened as a
   document it loads and runs nothing. */
void confine(reply& out);

} // namespace handlers
