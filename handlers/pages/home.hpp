// GET /: where a visitor of the site starts.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::pages {

/// Sends a browser to the console, or to the sign-in page of a server without one. Others get a list of
/// links.
reply home(call& c);

inline constexpr operation home_operations[] = {
    describes<&home>(tags::pages, "showHome", "Where to start",
                     "A browser is redirected to the console; any other client gets links.")
        .responds(302, "To the console, for a client that accepts HTML."),
};

} // namespace handlers::pages
