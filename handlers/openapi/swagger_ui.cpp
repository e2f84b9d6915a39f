#include "handlers/openapi/swagger_ui.hpp"

#include "handlers/http/context.hpp"
#include "handlers/static_files/file_tree.hpp"
#include "handlers/static_files/page_headers.hpp"

namespace handlers::swagger_ui {

reply show(call& c)
{
    auto& files = *c.cx.files;
    reply out;
    out.content_type = "text/html; charset=utf-8";
    out.cache_control = "no-cache";
    out.body.append(
        "<!doctype html>\n<html lang=\"en\">\n<meta charset=\"utf-8\">\n"
        "<meta name=\"viewport\" content=\"width=device-width\">\n<title>Latchkey: the API</title>\n"
        "<link rel=\"icon\" href=\"");
    out.body.append(files.url("icon.svg"));
    out.body.append("\">\n");
    for (auto sheet : {"docs/swagger-ui.css", "tokens.css", "brand.css", "docs/docs.css"})
        if (files.contains(sheet))
            out.body.append("<link rel=\"stylesheet\" href=\"").append(files.url(sheet)).append("\">\n");
    out.body.append(
        "<main id=\"docs\"></main>\n<noscript>This page needs JavaScript; the document itself is at\n"
        "<a href=\"openapi.json\">openapi.json</a>.</noscript>\n");
    for (auto script : {"docs/swagger-ui-bundle.js", "docs/start.js"})
        out.body.append("<script src=\"").append(files.url(script)).append("\"></script>\n");
    out.body.append("</html>\n");
    add_page_headers_for_legacy_scripts(out);
    return out;
}

} // namespace handlers::swagger_ui
