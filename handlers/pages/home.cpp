#include "handlers/pages/home.hpp"

#include "handlers/http/redirect.hpp"
#include "handlers/pages/layout.hpp"
#include "schemas/engine/schema.hpp"
#include "schemas/site.hpp"

namespace handlers::pages {

reply home(call& c)
{
    if (accepts_html(c.req)) {
        auto out = redirect(302, path_to(c, has_console(c) ? "/console" : "/sign-in").text());
        out.add_header("Vary", "Accept");
        return out;
    }
    reply out;
    out.add_header("Vary", "Accept");
    auto& site = c.cx.config.public_url;
    schemas::site_links links;
    links.name = c.cx.config.brand.name;
    links.api = site + "/api/v1/users";
    links.openapi = site + "/openapi.json";
    links.docs = site + "/docs";
    links.sign_in = site + "/sign-in";
    links.mcp = site + "/mcp";
    links.jwks = site + "/.well-known/jwks.json";
    schemas::append_json(out.body, links);
    return out;
}

} // namespace handlers::pages
