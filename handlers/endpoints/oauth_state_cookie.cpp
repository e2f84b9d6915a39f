#include "handlers/endpoints/oauth_state_cookie.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/seal.hpp"
#include "handlers/http/cookies.hpp"
#include "schemas/engine/schema.hpp"

#include <boost/url/parse.hpp>

#include <algorithm>
#include <utility>

namespace handlers {

namespace {

constexpr std::string_view seal_context = "sign-in cookie";
constexpr std::size_t max_cookie_size = 4096;

constexpr std::string_view name_prefix = "latchkey_sign_in_";
/// Characters of the state in the name of its cookie.
constexpr std::size_t name_length = 16;

std::string name_of(std::string_view state)
{
    return std::string(name_prefix).append(state.substr(0, name_length));
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
    auto all = read_cookies(req);
    auto found = std::ranges::find(all, name, &cookie::name);
    return found == all.end() ? std::string_view() : found->value;
}

std::optional<oauth_state> open_cookie(const context& cx, std::string_view value)
{
    if (value.empty() || value.size() > max_cookie_size)
        return std::nullopt;
    auto sealed = crypto::from_base64url(value);
    auto opened =
        sealed ? cx.sealer.open(crypto::seal_purpose::oauth_state, *sealed, seal_context) : std::nullopt;
    if (!opened)
        return std::nullopt;
    auto read = schemas::parse_body<oauth_state>(crypto::text_of(*opened));
    return std::move(read.value);
}

/// Whether a name is of the form that name_of() makes.
bool is_own_name(std::string_view name)
{
    auto is_base64url = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    };
    return name.starts_with(name_prefix) && name.size() == name_prefix.size() + name_length &&
           std::ranges::all_of(name, is_base64url);
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
    auto sealed = cx.sealer.seal(crypto::seal_purpose::oauth_state, crypto::bytes_of(schemas::to_json(state)),
                                 seal_context);
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
    auto found = open_cookie(cx, find_cookie(req, name_of(state)));
    if (!found || !crypto::equal_constant_time(found->state, state) || found->expires_at <= seconds(cx.now()))
        return std::nullopt;
    return found;
}

std::vector<std::string> delete_oldest_cookies(const context& cx, const request& req)
{
    auto all = read_cookies(req);
    std::erase_if(all, [](const cookie& each) { return !is_own_name(each.name); });
    if (all.size() < max_begun_sign_ins)
        return {};
    // Those of one second are in the order of the request.
    std::vector<std::pair<std::int64_t, std::size_t>> by_age;
    for (std::size_t at = 0; at < all.size(); ++at) {
        auto state = open_cookie(cx, all[at].value);
        by_age.emplace_back(state ? state->expires_at : 0, at);
    }
    std::ranges::sort(by_age);
    by_age.resize(by_age.size() - (max_begun_sign_ins - 1));
    std::vector<std::string> out;
    out.reserve(by_age.size());
    for (auto& [expires_at, at] : by_age)
        out.push_back(delete_cookie(cx, all[at].name.substr(name_prefix.size())));
    return out;
}

} // namespace handlers
