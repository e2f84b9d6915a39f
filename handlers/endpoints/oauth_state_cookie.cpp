#include "handlers/endpoints/oauth_state_cookie.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/seal.hpp"
#include "handlers/access/text.hpp"
#include "schemas/engine/schema.hpp"

#include <boost/url/parse.hpp>

#include <algorithm>

namespace handlers {

namespace {

constexpr std::string_view seal_context = "sign-in cookie";
constexpr std::size_t max_cookie_size = 4096;

std::string name_of(std::string_view state)
{
    return "latchkey_sign_in_" + std::string(state.substr(0, 16));
}

/// Path, lifetime and protection of the cookie.
std::string attributes(const settings& config, std::chrono::seconds max_age)
{
    auto url = boost::urls::parse_absolute_uri(config.public_url);
    std::string out = "; Path=";
    if (url)
        out += std::string_view(url->encoded_path());
    out += oidc_base_path;
    out += "; Max-Age=" + std::to_string(max_age.count()) + "; HttpOnly; SameSite=Lax";
    if (config.public_url.starts_with("https:"))
        out += "; Secure";
    return out;
}

/// The value of a cookie; empty if there is none.
std::string_view find_cookie(const request& req, std::string_view name)
{
    auto [line, end] = req.message.equal_range(http::field::cookie);
    for (; line != end; ++line) {
        std::string_view rest = line->value();
        while (!rest.empty()) {
            auto semicolon = rest.find(';');
            auto pair = trim(rest.substr(0, semicolon));
            rest.remove_prefix(semicolon == std::string_view::npos ? rest.size() : semicolon + 1);
            auto equals = pair.find('=');
            if (equals != std::string_view::npos && pair.substr(0, equals) == name)
                return pair.substr(equals + 1);
        }
    }
    return {};
}

/// Whether the text has the shape of our states, of which cookie names are made.
bool is_state(std::string_view text)
{
    return text.size() == 43 && crypto::from_base64url(text).has_value();
}

std::int64_t seconds(db::timestamp at)
{
    return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

} // namespace

std::string to_cookie(const context& cx, const oauth_state& state)
{
    auto max_age = std::chrono::seconds(state.expires_at - seconds(cx.now()));
    auto sealed = cx.sealer.seal(crypto::bytes_of(schemas::to_json(state)), seal_context);
    return name_of(state.state) + "=" + crypto::to_base64url(sealed) + attributes(cx.config, max_age);
}

std::string delete_cookie(const context& cx, std::string_view state)
{
    return name_of(state) + "=" + attributes(cx.config, std::chrono::seconds(0));
}

std::optional<oauth_state> from_cookies(const context& cx, const request& req, std::string_view state)
{
    if (!is_state(state))
        return std::nullopt;
    auto value = find_cookie(req, name_of(state));
    if (value.empty() || value.size() > max_cookie_size)
        return std::nullopt;
    auto sealed = crypto::from_base64url(value);
    auto opened = sealed ? cx.sealer.open(*sealed, seal_context) : std::nullopt;
    if (!opened)
        return std::nullopt;
    auto read = schemas::parse_body<oauth_state>(crypto::text_of(*opened));
    if (!read || !crypto::equal_constant_time(read.value->state, state) ||
        read.value->expires_at <= seconds(cx.now()))
        return std::nullopt;
    return std::move(read.value);
}

} // namespace handlers
