#include "handlers/endpoints/state_cookies.hpp"

#include "crypto/encoding.hpp"
#include "crypto/hash.hpp"
#include "crypto/random.hpp"
#include "crypto/seal.hpp"

#include <algorithm>
#include <numeric>
#include <utility>

namespace handlers {

namespace {

constexpr std::size_t max_cookie_size = 4096;
/// Characters of the state in the name of its cookie.
constexpr std::size_t name_length = 16;
constexpr std::size_t state_length = 43;

/// Whether the text has the shape of our states, of which cookie names are made.
bool is_state(std::string_view text)
{
    return text.size() == state_length && crypto::from_base64url(text).has_value();
}

bool is_base64url(std::string_view text)
{
    return std::ranges::all_of(text, [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' ||
               c == '_';
    });
}

std::int64_t seconds(db::timestamp at)
{
    return std::chrono::floor<std::chrono::seconds>(at).time_since_epoch().count();
}

} // namespace

std::string make_state()
{
    return crypto::to_base64url(crypto::random_bytes<32>());
}

state_cookie_kind::state_cookie_kind(const context& cx, std::string name_prefix, std::string path,
                                     std::string_view seal_context)
    : cx_(cx), name_prefix_(std::move(name_prefix)), path_(std::move(path)), seal_context_(seal_context)
{}

std::string state_cookie_kind::attributes(std::chrono::seconds max_age) const
{
    auto out =
        "; Path=" + path_ + "; Max-Age=" + std::to_string(max_age.count()) + "; HttpOnly; SameSite=Lax";
    if (cx_.config.public_url.starts_with("https:"))
        out += "; Secure";
    return out;
}

std::string state_cookie_kind::remove(std::string_view state) const
{
    return name_prefix_ + std::string(state.substr(0, name_length)) + "=" +
           attributes(std::chrono::seconds(0));
}

std::string state_cookie_kind::set(std::string_view state, const std::string& content,
                                   std::int64_t expires_at) const
{
    auto max_age = std::chrono::seconds(expires_at - seconds(cx_.now()));
    auto sealed =
        cx_.sealer.seal(crypto::seal_purpose::oauth_state, crypto::bytes_of(content), seal_context_);
    return name_prefix_ + std::string(state.substr(0, name_length)) + "=" + crypto::to_base64url(sealed) +
           attributes(max_age);
}

std::optional<std::string> state_cookie_kind::open(std::string_view value) const
{
    if (value.empty() || value.size() > max_cookie_size)
        return std::nullopt;
    auto sealed = crypto::from_base64url(value);
    auto opened =
        sealed ? cx_.sealer.open(crypto::seal_purpose::oauth_state, *sealed, seal_context_) : std::nullopt;
    if (!opened)
        return std::nullopt;
    return std::string(crypto::text_of(*opened));
}

std::string_view state_cookie_kind::find_value(const request& req, std::string_view state) const
{
    if (!is_state(state))
        return {};
    auto all = all_of(req);
    auto found = std::ranges::find(all, state.substr(0, name_length), &cookie::name);
    return found == all.end() ? std::string_view() : found->value;
}

std::vector<cookie> state_cookie_kind::all_of(const request& req) const
{
    std::vector<cookie> out;
    for (auto each : read_cookies(req)) {
        if (!each.name.starts_with(name_prefix_))
            continue;
        each.name.remove_prefix(name_prefix_.size());
        if (each.name.size() == name_length && is_base64url(each.name))
            out.push_back(each);
    }
    return out;
}

std::vector<std::size_t> state_cookie_kind::oldest(const std::vector<std::int64_t>& expiries)
{
    if (expiries.size() < max_begun_sign_ins)
        return {};
    std::vector<std::size_t> places(expiries.size());
    std::iota(places.begin(), places.end(), std::size_t(0));
    // Those of one second are in the order of the request.
    std::ranges::sort(places, {}, [&](std::size_t at) { return std::pair(expiries[at], at); });
    places.resize(places.size() - (max_begun_sign_ins - 1));
    return places;
}

bool state_cookie_kind::is_current(std::string_view state, std::string_view expected,
                                   std::int64_t expires_at) const
{
    return crypto::equal_constant_time(state, expected) && expires_at > seconds(cx_.now());
}

} // namespace handlers
