#include "handlers/console/console.hpp"

#include "handlers/http/context.hpp"
#include "handlers/static_files/file_tree.hpp"
#include "handlers/static_files/page_headers.hpp"

namespace handlers::console {

namespace {

/** The modules of the first screen, which the browser fetches at once instead of import by import.
    tests/browser/modules.mjs compares the list with the imports. */
constexpr std::string_view first_modules[] = {
    "app.js",          "lib/client.js",  "lib/curl.js",        "lib/format.js",       "lib/i18n.js",
    "lib/keys.js",     "lib/problem.js", "lib/router.js",      "lib/site.js",         "lib/theme.js",
    "lib/usage.js",    "main.js",        "screens/missing.js", "screens/overview.js", "ui/chart.js",
    "ui/controls.js",  "ui/html.js",     "ui/navigation.js",   "ui/problem.js",       "ui/screen.js",
    "ui/session.js",   "ui/table.js",    "ui/toast.js",        "vendor/hooks.js",     "vendor/htm.js",
    "vendor/preact.js"};

std::string url_of(const file_tree& files, std::string_view name)
{
    return files.url("console/" + std::string(name));
}

} // namespace

reply show(call& c)
{
    auto files = c.cx.files;
    if (!files || !files->contains("console/main.js"))
        return to_reply(problem::of(codes::not_found));
    reply out;
    out.content_type = "text/html; charset=utf-8";
    out.cache_control = "no-store";
    auto& body = out.body;
    body.append("<!doctype html>\n<html lang=\"en\" data-base=\"").append(files->base_path()).append("\"");
    if (c.cx.oidc)
        body.append(" data-google=\"on\"");
    body.append(">\n<meta charset=\"utf-8\">\n<meta name=\"viewport\" content=\"width=device-width\">\n"
                "<title>Latchkey</title>\n");
    body.append("<link rel=\"icon\" href=\"").append(files->url("icon.svg")).append("\">\n");
    body.append("<script src=\"").append(url_of(*files, "theme.js")).append("\"></script>\n");
    body.append("<link rel=\"stylesheet\" href=\"").append(url_of(*files, "console.css")).append("\">\n");
    for (auto module : first_modules)
        body.append("<link rel=\"modulepreload\" href=\"").append(url_of(*files, module)).append("\">\n");
    body.append("<script type=\"module\" src=\"").append(url_of(*files, "main.js")).append("\"></script>\n");
    body.append(
            "<div id=\"app\"></div>\n<noscript>The console needs JavaScript. The API it uses is described "
            "at <a href=\"")
        .append(files->base_path())
        .append("/docs\">/docs</a>.</noscript>\n</html>\n");
    add_page_headers(out);
    return out;
}

} // namespace handlers::console
