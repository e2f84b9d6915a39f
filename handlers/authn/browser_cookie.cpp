#include "handlers/authn/browser_cookie.hpp"

#include "handlers/http/cookies.hpp"

#include <boost/asio/ip/address.hpp>
#include <boost/url/parse.hpp>

namespace handlers {

namespace {

/// Whether browsers treat a URL with this host as trustworthy without TLS (W3C Secure Contexts, 3.1).
bool is_loopback(const settings& config)
{
    auto url = boost::urls::parse_absolute_uri(config.public_url);
    if (!url)
        return false;
    std::string host(url->host());
    if (host.starts_with('[') && host.ends_with(']'))
        host = host.substr(1, host.size() - 2);
    boost::system::error_code not_an_address;
    auto address = boost::asio::ip::make_address(host, not_an_address);
    return not_an_address ? host == "localhost" || host.ends_with(".localhost") : address.is_loopback();
}

/// Protection of the cookie. No lifetime: it ends with the browser's own session, or with its row.
std::string attributes(const settings& config)
{
    std::string out = "; Path=/; HttpOnly; SameSite=Lax";
    if (config.public_url.starts_with("https:"))
        out += "; Secure";
    return out;
}

} // namespace

std::string_view session_cookie_name(const settings& config)
{
    if (config.public_url.starts_with("https:"))
        return "__Host-latchkey";
    return is_loopback(config) ? "latchkey" : "";
}

std::optional<problem> require_browser_sessions(const settings& config)
{
    if (session_cookie_name(config).empty())
        return problem::of(codes::https_required);
    return std::nullopt;
}

std::string delete_session_cookie(const settings& config)
{
    auto name = session_cookie_name(config);
    return name.empty() ? "" : std::string(name) + "=; Max-Age=0" + attributes(config);
}

std::optional<db::digest> read_session_cookie(const call& c)
{
    if (c.req.header(http::field::cookie).empty())
        return std::nullopt;
    auto name = session_cookie_name(c.cx.config);
    if (name.empty())
        return std::nullopt;
    return crypto::one_time_token_digest(find_only_cookie(c.req, name));
}

std::vector<db::digest> read_session_cookies(const call& c)
{
    constexpr std::size_t max_cookies = 4;
    std::vector<db::digest> out;
    auto name = session_cookie_name(c.cx.config);
    if (name.empty())
        return out;
    for (auto& cookie : read_cookies(c.req)) {
        auto digest = cookie.name == name ? crypto::one_time_token_digest(cookie.value) : std::nullopt;
        if (digest && out.size() < max_cookies)
            out.push_back(*digest);
    }
    return out;
}

std::string make_session_cookie(const settings& config, const crypto::one_time_token& token)
{
    return std::string(session_cookie_name(config)) + "=" + token.text + attributes(config);
}

} // namespace handlers
