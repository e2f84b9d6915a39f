// GET /console: the page that the console runs in.
#pragma once

#include "handlers/http/handler.hpp"
#include "handlers/http/operation.hpp"

namespace handlers::console {

/** The page, the same for every address of the console: its script reads the address. Never stored, since it
   names the assets of this version. 404 in a build without the console. */
reply show(call& c);

inline constexpr operation operations[] = {
    describes<&show>(tags::pages, "pageConsole", "The console",
                     "A client of this API for people: usage, API keys, team, account, workspace, audit.")
        .responds(200, "The page.", "text/html"),
    describes<&show>(tags::pages, "pageConsoleScreen", "A screen of the console",
                     "The page of `/console`; its script shows the screen that the path names.")
        .responds(200, "The page.", "text/html"),
};

} // namespace handlers::console
