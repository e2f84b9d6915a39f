#include "handlers/http/cors.hpp"

#include <algorithm>

namespace handlers {

namespace {

std::string_view allowed_origin(const settings& config, const request& req)
{
    if (config.cors_origins.empty())
        return {};
    auto origin = req.header(http::field::origin);
    return std::ranges::find(config.cors_origins, origin) == config.cors_origins.end() ? std::string_view()
                                                                                       : origin;
}

} // namespace

void allow_origin(const settings& config, const request& req, reply& out)
{
    if (config.cors_origins.empty())
        return;
    // Also without an origin: a cache must keep both replies apart.
    out.add_header("Vary", "Origin");
    auto origin = allowed_origin(config, req);
    if (origin.empty())
        return;
    out.add_header("Access-Control-Allow-Origin", origin);
    out.add_header("Access-Control-Expose-Headers",
                   "X-Request-Id, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate");
}

reply answer_options(std::string_view allow)
{
    reply out;
    out.status = 204;
    out.content_type = {};
    out.add_header("Allow", allow);
    return out;
}

reply answer_options(const settings& config, const request& req, std::string_view allow)
{
    auto out = answer_options(allow);
    if (allowed_origin(config, req).empty() || req.header(http::field::access_control_request_method).empty())
        return out;
    out.add_header("Access-Control-Allow-Methods", allow);
    out.add_header("Access-Control-Allow-Headers",
                   "Authorization, Content-Type, X-Request-Id, MCP-Protocol-Version, Mcp-Method, Mcp-Name");
    out.add_header("Access-Control-Max-Age", "600");
    return out;
}

} // namespace handlers
