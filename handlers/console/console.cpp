#include "handlers/console/console.hpp"

#include "handlers/html/html.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/same_origin.hpp"
#include "handlers/static_files/file_tree.hpp"
#include "handlers/static_files/page_headers.hpp"

namespace handlers::console {

using html::element;

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

html::url url_of(const file_tree& files, std::string_view name)
{
    return html::url::site(files.url(name));
}

html::fragment head_of(const file_tree& files, std::string_view title)
{
    auto of_console = [&files](std::string_view name) {
        return url_of(files, "console/" + std::string(name));
    };
    html::fragment out = html::meta("viewport", "width=device-width, initial-scale=1");
    out += html::meta("color-scheme", "light dark");
    out += element("title", {}, html::text(title));
    out += element("link", {{"rel", "icon"}, {"type", "image/svg+xml"}, {"href", url_of(files, "icon.svg")}});
    out += html::stylesheet(of_console("console.css"));
    if (files.contains("brand.css"))
        out += html::stylesheet(url_of(files, "brand.css"));
    out += html::script_file(of_console("theme.js"));
    out += html::script_file(of_console("main.js"));
    for (auto module : first_modules)
        out += element("link", {{"rel", "modulepreload"}, {"href", of_console(module)}});
    return out;
}

/// The operator's logo; empty for ours, which the console draws itself.
std::string logo_of(const file_tree& files)
{
    for (auto name : {"brand-logo.svg", "brand-logo.png"})
        if (files.contains(name))
            return files.url(name);
    return {};
}

} // namespace

reply show(call& c)
{
    auto files = c.cx.files;
    if (!files || !files->contains("console/main.js")) {
        auto missing = to_reply(problem::of(codes::not_found));
        confine(missing);
        return missing;
    }
    auto& brand = c.cx.config.brand.name;
    // What the console cannot learn from the API before it is signed in.
    auto root = element("div", {{"id", "app"},
                                {"data-base", files->base_path()},
                                {"data-brand", brand},
                                {"data-logo", html::unless_empty(logo_of(*files))},
                                {"data-providers", html::unless_empty(c.cx.oidc ? "google" : "")}});
    auto docs = html::url::site(files->base_path() + "/docs");
    auto without_script =
        element("noscript", {}, html::text("The console needs JavaScript. "),
                element("a", {{"href", docs}}, html::text("The API")), html::text(" does not."));
    reply out;
    out.content_type = "text/html; charset=utf-8";
    out.cache_control = "no-store";
    out.body = html::document("en", head_of(*files, brand), root + without_script);
    add_page_headers(out);
    return out;
}

} // namespace handlers::console
