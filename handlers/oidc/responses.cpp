#include "handlers/oidc/responses.hpp"

#include "crypto/json_member.hpp"

#include <boost/beast/core/string.hpp>
#include <boost/json/array.hpp>
#include <boost/json/parse.hpp>

#include <algorithm>
#include <charconv>
#include <cstdint>
#include <optional>

namespace handlers {

namespace json = boost::json;
using crypto::text_member;
using enum oidc_failure_kind;

namespace {

constexpr std::size_t longest_token = std::size_t{16} << 10;

std::optional<json::object> read_object(std::string_view body)
{
    boost::system::error_code error;
    auto value = json::parse(body, error);
    if (error || !value.is_object())
        return std::nullopt;
    return std::move(value.get_object());
}

/** http is for a provider on loopback alone, and only if its issuer is written so. */
bool is_trusted_endpoint(std::string_view url, std::string_view issuer)
{
    return is_loopback_url(url) && (url.starts_with("https://") || issuer.starts_with("http://"));
}

std::string endpoint(const json::object& document, std::string_view name, std::string_view issuer)
{
    auto url = text_member(document, name);
    if (!url)
        throw oidc_failure(unavailable, "the discovery document has no " + std::string(name));
    if (!is_trusted_endpoint(*url, issuer))
        throw oidc_failure(untrustworthy, "the discovery document's " + std::string(name) + " is not https");
    return std::string(*url);
}

/** Preferred where the provider lists it, as Google does, and where it lists nothing that we know. Discovery,
    section 3, would have Basic for a provider that lists nothing. */
bool takes_secret_alone(const json::object& document)
{
    auto member = document.if_contains("token_endpoint_auth_methods_supported");
    auto list = member ? member->if_array() : nullptr;
    if (!list)
        return true;
    auto lists = [list](std::string_view method) {
        return std::ranges::any_of(*list, [method](const json::value& each) {
            return each.is_string() && std::string_view(each.get_string()) == method;
        });
    };
    return lists("client_secret_post") || !lists("client_secret_basic");
}

/** Visible ASCII, as tokens are (RFC 6749, appendix A). */
std::string token_member(const json::object& in, std::string_view name)
{
    auto text = text_member(in, name).value_or("");
    bool good = text.size() <= longest_token &&
                std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
    if (!good || (text.empty() && in.contains(name) && !in.at(name).is_null()))
        throw oidc_failure(unavailable, "the token endpoint's " + std::string(name) + " makes no sense");
    return std::string(text);
}

/** Some providers write the number as text. */
std::chrono::seconds life_of(const json::object& in)
{
    constexpr std::int64_t longest = 10LL * 365 * 86400;
    std::int64_t seconds = 0;
    if (auto member = in.if_contains("expires_in"); member && member->is_int64())
        seconds = member->get_int64();
    else if (auto text = text_member(in, "expires_in"))
        std::from_chars(text->data(), text->data() + text->size(), seconds);
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, longest));
}

/** The code of an error (RFC 6749, section 5.2), if it is one that can stand in a log. */
std::string error_of(const http_answer& heard)
{
    auto body = read_object(heard.body);
    auto code = body ? text_member(*body, "error").value_or("") : "";
    auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    };
    bool good = !code.empty() && code.size() <= 64 && std::ranges::all_of(code, is_plain);
    return good ? std::string(code) : std::string();
}

/** Of all that is no success: a no, unless it is about the moment. */
bool is_refusal(unsigned status)
{
    return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

std::string told(std::string_view who, const http_answer& heard)
{
    auto error = error_of(heard);
    auto out = std::string(who) + " answered " + std::to_string(heard.status);
    return error.empty() ? out : out + " " + error;
}

} // namespace

oidc_endpoints read_discovery(const http_answer& heard, std::string_view issuer)
{
    auto document = heard.status == 200 ? read_object(heard.body) : std::nullopt;
    if (!document)
        throw oidc_failure(unavailable, told("discovery", heard) + ", no document");
    if (text_member(*document, "issuer") != issuer)
        throw oidc_failure(untrustworthy, "the discovery document is of another issuer");
    oidc_endpoints out;
    out.authorization = endpoint(*document, "authorization_endpoint", issuer);
    out.token = endpoint(*document, "token_endpoint", issuer);
    out.keys = endpoint(*document, "jwks_uri", issuer);
    if (document->contains("revocation_endpoint"))
        out.revocation = endpoint(*document, "revocation_endpoint", issuer);
    out.takes_secret_alone = takes_secret_alone(*document);
    return out;
}

token_answer read_token_answer(const http_answer& heard)
{
    if (heard.status != 200)
        throw oidc_failure(is_refusal(heard.status) ? refused : unavailable,
                           told("the token endpoint", heard));
    auto body = read_object(heard.body);
    if (!body)
        throw oidc_failure(unavailable, "the token endpoint answered 200 without JSON");
    token_answer out;
    out.id_token = token_member(*body, "id_token");
    out.access_token = token_member(*body, "access_token");
    out.refresh_token = token_member(*body, "refresh_token");
    out.scope = token_member(*body, "scope");
    out.expires_in = life_of(*body);
    if (out.id_token.empty())
        throw oidc_failure(untrustworthy, "the token endpoint gave no ID token");
    auto type = text_member(*body, "token_type").value_or("");
    if (out.access_token.empty() || !boost::beast::iequals(type, "Bearer"))
        throw oidc_failure(unavailable, "the token endpoint gave no bearer token");
    return out;
}

bool read_revocation_answer(const http_answer& heard)
{
    if (heard.status >= 200 && heard.status < 300)
        return true;
    if (!is_refusal(heard.status))
        throw oidc_failure(unavailable, told("the revocation endpoint", heard));
    return error_of(heard) == "invalid_token";
}

} // namespace handlers
