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

constexpr std::size_t max_token_size = std::size_t{16} << 10;

std::optional<json::object> read_object(std::string_view body)
{
    boost::system::error_code error;
    auto value = json::parse(body, error);
    if (error || !value.is_object())
        return std::nullopt;
    return std::move(value.get_object());
}

/// https, or http of a loopback provider that has an http issuer too.
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
        throw oidc_failure(invalid_response,
                           "the discovery document's " + std::string(name) + " is not https");
    return std::string(*url);
}

/// Preferred over Basic where the provider lists both, as Google does, or no method that we know. Without a
/// list the specification (Discovery, section 3) defaults to Basic.
bool prefers_client_secret_post(const json::object& document)
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

/// A token: visible ASCII (RFC 6749, appendix A).
std::string token_member(const json::object& in, std::string_view name)
{
    auto text = text_member(in, name).value_or("");
    bool is_valid = text.size() <= max_token_size &&
                    std::ranges::all_of(text, [](char c) { return c >= 0x20 && c <= 0x7e; });
    if (!is_valid || (text.empty() && in.contains(name) && !in.at(name).is_null()))
        throw oidc_failure(unavailable, "the token endpoint's " + std::string(name) + " is malformed");
    return std::string(text);
}

/// The number may be a string: some providers send one.
std::chrono::seconds ttl_of(const json::object& in)
{
    constexpr std::int64_t max_seconds = 10LL * 365 * 86400;
    std::int64_t seconds = 0;
    if (auto member = in.if_contains("expires_in"); member && member->is_int64())
        seconds = member->get_int64();
    else if (auto text = text_member(in, "expires_in"))
        std::from_chars(text->data(), text->data() + text->size(), seconds);
    return std::chrono::seconds(std::clamp<std::int64_t>(seconds, 0, max_seconds));
}

/// The error code (RFC 6749, section 5.2), if it is safe to log.
std::string error_of(const http_response& response)
{
    auto body = read_object(response.body);
    auto code = body ? text_member(*body, "error").value_or("") : "";
    auto is_plain = [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
               c == '-';
    };
    bool is_safe = !code.empty() && code.size() <= 64 && std::ranges::all_of(code, is_plain);
    return is_safe ? std::string(code) : std::string();
}

/// Whether an error status is final, and not worth a retry.
bool is_refusal(unsigned status)
{
    return status >= 400 && status < 500 && status != 408 && status != 425 && status != 429;
}

std::string describe(std::string_view endpoint, const http_response& response)
{
    auto error = error_of(response);
    auto out = std::string(endpoint) + " answered " + std::to_string(response.status);
    return error.empty() ? out : out + " " + error;
}

} // namespace

oidc_endpoints read_discovery(const http_response& response, std::string_view issuer)
{
    auto document = response.status == 200 ? read_object(response.body) : std::nullopt;
    if (!document)
        throw oidc_failure(unavailable, describe("discovery", response) + " without a document");
    if (text_member(*document, "issuer") != issuer)
        throw oidc_failure(invalid_response, "the discovery document names another issuer");
    oidc_endpoints out;
    out.authorization = endpoint(*document, "authorization_endpoint", issuer);
    out.token = endpoint(*document, "token_endpoint", issuer);
    out.keys = endpoint(*document, "jwks_uri", issuer);
    if (document->contains("revocation_endpoint"))
        out.revocation = endpoint(*document, "revocation_endpoint", issuer);
    out.client_secret_post = prefers_client_secret_post(*document);
    auto names_issuer = document->if_contains("authorization_response_iss_parameter_supported");
    out.names_issuer = names_issuer && names_issuer->is_bool() && names_issuer->get_bool();
    return out;
}

token_response read_token_response(const http_response& response)
{
    if (response.status != 200)
        throw oidc_failure(is_refusal(response.status) ? refused : unavailable,
                           describe("the token endpoint", response));
    auto body = read_object(response.body);
    if (!body)
        throw oidc_failure(unavailable, "the token endpoint answered 200 without JSON");
    token_response out;
    out.id_token = token_member(*body, "id_token");
    out.access_token = token_member(*body, "access_token");
    out.refresh_token = token_member(*body, "refresh_token");
    out.scope = token_member(*body, "scope");
    out.expires_in = ttl_of(*body);
    if (out.id_token.empty())
        throw oidc_failure(invalid_response, "the token endpoint gave no ID token");
    auto type = text_member(*body, "token_type").value_or("");
    if (out.access_token.empty() || !boost::beast::iequals(type, "Bearer"))
        throw oidc_failure(unavailable, "the token endpoint gave no bearer token");
    return out;
}

bool read_revocation_response(const http_response& response)
{
    if (response.status >= 200 && response.status < 300)
        return true;
    if (!is_refusal(response.status))
        throw oidc_failure(unavailable, describe("the revocation endpoint", response));
    return error_of(response) == "invalid_token";
}

} // namespace handlers
