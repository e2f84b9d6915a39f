#include "handlers/openapi/swagger_ui.hpp"

#include "handlers/html/html.hpp"
#include "handlers/http/context.hpp"
#include "handlers/pages/brand.hpp"
#include "handlers/static_files/file_tree.hpp"
#include "handlers/static_files/page_headers.hpp"

namespace handlers::swagger_ui {

using html::element;
using html::text;

namespace {

html::url url_of(const file_tree& files, std::string_view name)
{
    return html::url::site(files.url(name));
}

html::fragment head_of(const file_tree& files, std::string_view title)
{
    auto out = html::meta("viewport", "width=device-width, initial-scale=1");
    out += html::meta("color-scheme", "light dark");
    out += element("title", {}, text(title));
    out += element("link", {{"rel", "icon"}, {"type", "image/svg+xml"}, {"href", url_of(files, "icon.svg")}});
    for (auto sheet : {"docs/swagger-ui.css", "tokens.css", "brand.css", "docs/docs.css"})
        if (files.contains(sheet))
            out += html::stylesheet(url_of(files, sheet));
    for (auto script : {"docs/swagger-ui-bundle.js", "docs/start.js"})
        out += html::classic_script_file(url_of(files, script));
    return out;
}

html::fragment link(const std::string& path, std::string_view label)
{
    return element("a", {{"href", html::url::site(path)}}, text(label));
}

/// The operator's logo and name, and where to go from here.
html::fragment header_of(const file_tree& files, std::string_view name)
{
    auto logo = pages::logo_url(files);
    auto source = logo.empty() ? url_of(files, "icon.svg") : html::url::site(logo);
    auto picture = element("img", {{"src", source}, {"alt", ""}, {"height", "24"}});
    auto brand = element("p", {{"class", "brand"}}, picture, element("span", {}, text(name)));
    html::fragment places;
    if (files.contains("console/main.js"))
        places += link(files.base_path() + "/console", "Console");
    places += link(files.base_path() + "/openapi.json", "OpenAPI document");
    return element("header", {{"class", "bar"}}, brand, element("nav", {{"aria-label", "Site"}}, places));
}

} // namespace

reply show(call& c)
{
    auto& files = *c.cx.files;
    auto& name = c.cx.config.brand.name;
    auto document = link(files.base_path() + "/openapi.json", "OpenAPI document");
    auto without_script =
        element("noscript", {}, html::sentence("This page needs JavaScript. The {0} does not.", {document}));
    auto main = element("main", {{"id", "docs"}});
    reply out;
    out.content_type = "text/html; charset=utf-8";
    out.cache_control = "no-cache";
    out.body = html::document("en", head_of(files, "API reference · " + name),
                              header_of(files, name) + main + without_script);
    add_page_headers_for_legacy_scripts(out);
    return out;
}

} // namespace handlers::swagger_ui
