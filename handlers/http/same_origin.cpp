#include "handlers/http/same_origin.hpp"

namespace handlers {

namespace {

/// Whether a header has exactly one line, with this value.
bool is_only_value(const request& req, http::field name, std::string_view wanted)
{
    auto lines = req.head.lines(name);
    auto line = lines.begin();
    if (line == lines.end() || *line != wanted)
        return false;
    return ++line == lines.end();
}

} // namespace

std::string_view public_origin(const settings& config)
{
    std::string_view url = config.public_url;
    auto scheme = url.find("://");
    return scheme == url.npos ? url : url.substr(0, url.find('/', scheme + 3));
}

bool is_from_elsewhere(const request& req)
{
    return !req.head.lines(http::field::sec_fetch_site).empty() &&
           !is_only_value(req, http::field::sec_fetch_site, "same-origin") &&
           !is_only_value(req, http::field::sec_fetch_site, "none");
}

void confine(reply& out)
{
    out.add_header("Cross-Origin-Resource-Policy", "same-origin");
    out.add_header("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'; sandbox");
}

std::optional<problem> check_same_origin(const settings& config, const request& req)
{
    bool is_own = req.head.lines(http::field::sec_fetch_site).empty()
                      ? is_only_value(req, http::field::origin, public_origin(config))
                      : is_only_value(req, http::field::sec_fetch_site, "same-origin");
    if (is_own)
        return std::nullopt;
    return problem::of(codes::cross_site_request);
}

} // namespace handlers
