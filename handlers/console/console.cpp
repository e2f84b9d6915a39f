#include "handlers/console/console.hpp"

#include "handlers/html/html.hpp"
#include "handlers/http/context.hpp"
#include "handlers/http/same_origin.hpp"
#include "handlers/pages/brand.hpp"
#include "handlers/pages/texts/messages.hpp"
#include "handlers/static_files/file_tree.hpp"
#include "handlers/static_files/page_headers.hpp"

namespace handlers::console {

using html::element;

namespace {

/** The modules of the first screen, which the browser fetches at once instead of import by import: those of
    start.js first, which asks for the data. tests/browser/modules.mjs compares the list with the imports. */
constexpr std::string_view first_modules[] = {
    "lib/client.js", "lib/problem.js",   "lib/site.js",         "lib/i18n.js",      "lib/keys.js",
    "lib/router.js", "vendor/preact.js", "vendor/hooks.js",     "vendor/htm.js",    "start.js",
    "main.js",       "app.js",           "screens/overview.js", "ui/html.js",       "ui/session.js",
    "ui/screen.js",  "ui/controls.js",   "ui/messages.js",      "ui/navigation.js", "ui/chart.js",
    "ui/table.js",   "lib/format.js",    "lib/curl.js"};

html::url url_of(const file_tree& files, std::string_view name)
{
    return html::url::site(files.url(name));
}

/// @param language that the console begins with; an account may have chosen another
html::fragment head_of(const file_tree& files, std::string_view title, std::string_view language)
{
    auto of_console = [&files](std::string_view name) {
        return url_of(files, "console/" + std::string(name));
    };
    html::fragment out = html::meta("viewport", "width=device-width, initial-scale=1");
    out += html::meta("color-scheme", "light dark");
    out += element("title", {}, html::text(title));
    out += element("link", {{"rel", "icon"}, {"type", "image/svg+xml"}, {"href", url_of(files, "icon.svg")}});
    for (auto sheet : {"tokens.css", "console/console.css", "brand.css"})
        if (files.contains(sheet))
            out += html::stylesheet(url_of(files, sheet));
    out += html::script_file(of_console("theme.js"));
    out += html::script_file(of_console("start.js"));
    out += html::script_file(of_console("main.js"));
    auto texts = "console/languages/" + std::string(language) + ".json";
    if (files.contains(texts))
        out += element("link", {{"rel", "preload"},
                                {"as", "fetch"},
                                {"crossorigin", "anonymous"},
                                {"href", url_of(files, texts)}});
    for (auto module : first_modules)
        out += element("link", {{"rel", "modulepreload"}, {"href", of_console(module)}});
    return out;
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
                                {"data-logo", html::unless_empty(pages::logo_url(*files))},
                                {"data-providers", html::unless_empty(c.cx.oidc ? "google" : "")}});
    auto docs = html::url::site(files->base_path() + "/docs");
    auto& in = pages::choose_language({}, c.req);
    auto& texts = *in.texts;
    auto api = element("a", {{"href", docs}}, html::text(texts.the_api.text()));
    auto without_script = element("noscript", {}, html::sentence(texts.console_needs_script.text(), {api}));
    reply out;
    out.content_type = "text/html; charset=utf-8";
    out.cache_control = "no-store";
    out.body = html::document(in.tag, head_of(*files, brand, in.tag), root + without_script);
    out.add_header("Content-Language", in.tag);
    out.add_header("Vary", "Accept-Language");
    add_page_headers(out);
    return out;
}

} // namespace handlers::console
