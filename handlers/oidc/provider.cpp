#include "handlers/oidc/provider.hpp"

#include "crypto/encoding.hpp"
#include "handlers/oidc/cached_document.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace handlers {

using crypto::id_token_error;
using crypto::jwk_set;
using std::chrono::steady_clock;

namespace {

/// The client and the settings that every request needs. Immutable.
struct provider_client {
    https_client& http;
    const oidc_provider::config settings;
};

using provider_client_ref = std::shared_ptr<const provider_client>;
using cached_endpoints = cached_document<oidc_endpoints>;
using cached_keys = cached_document<jwk_set>;

db::awaitable<http_response> get(provider_client_ref client, std::string url)
{
    try {
        co_return co_await client->http.get(std::move(url));
    } catch (const https_failure& e) {
        throw oidc_failure(oidc_failure_kind::unavailable, e.what());
    }
}

/// Both parts are form-encoded before they are joined (RFC 6749, section 2.3.1).
std::string basic_credential(const oidc_provider::config& settings)
{
    auto pair = encode_form(settings.client_id) + ":" + encode_form(settings.client_secret);
    return "Basic " + crypto::to_base64(crypto::bytes_of(pair));
}

/// Posts a form with client authentication.
db::awaitable<http_response> post(provider_client_ref client, std::string url, form_fields form,
                                  bool client_secret_post)
{
    std::string authorization;
    if (!client_secret_post && !client->settings.client_secret.empty()) {
        authorization = basic_credential(client->settings);
    } else {
        form.emplace_back("client_id", client->settings.client_id);
        if (!client->settings.client_secret.empty())
            form.emplace_back("client_secret", client->settings.client_secret);
    }
    try {
        co_return co_await client->http.post_form(std::move(url), std::move(form), std::move(authorization));
    } catch (const https_failure& e) {
        throw oidc_failure(oidc_failure_kind::unavailable, e.what());
    }
}

db::awaitable<cached_endpoints::fetched> fetch_endpoints(provider_client_ref client)
{
    std::string_view issuer = client->settings.issuer;
    auto base = issuer.ends_with('/') ? issuer.substr(0, issuer.size() - 1) : issuer;
    auto response = co_await get(client, std::string(base) + "/.well-known/openid-configuration");
    cached_endpoints::fetched out;
    out.value = std::make_shared<const oidc_endpoints>(read_discovery(response, issuer));
    out.ttl = client->settings.discovery_ttl;
    co_return out;
}

db::awaitable<cached_keys::fetched> fetch_keys(provider_client_ref client, cached_endpoints cache)
{
    auto endpoints = co_await cache.get();
    auto response = co_await get(client, endpoints->keys);
    auto keys = response.status == 200 ? jwk_set::parse(response.body) : std::nullopt;
    if (!keys)
        throw oidc_failure(oidc_failure_kind::unavailable, "jwks_uri answered " +
                                                               std::to_string(response.status) +
                                                               " without a usable key set");
    cached_keys::fetched out;
    out.value = std::make_shared<const jwk_set>(std::move(*keys));
    out.ttl = std::clamp(response.max_age.value_or(std::chrono::seconds(0)), client->settings.min_key_ttl,
                         client->settings.max_key_ttl);
    co_return out;
}

std::int64_t seconds_since_1970()
{
    auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

} // namespace

std::string oidc_provider::build_authorization_url(const config& settings, const oidc_endpoints& endpoints,
                                                   std::string state, std::string nonce,
                                                   std::string code_challenge, bool asks_again)
{
    form_fields query;
    query.emplace_back("response_type", "code");
    query.emplace_back("client_id", settings.client_id);
    query.emplace_back("redirect_uri", settings.redirect_uri);
    query.emplace_back("scope", settings.scopes);
    query.emplace_back("state", std::move(state));
    query.emplace_back("nonce", std::move(nonce));
    query.emplace_back("code_challenge", std::move(code_challenge));
    query.emplace_back("code_challenge_method", "S256");
    bool is_google = settings.issuer == crypto::google_issuer;
    if (asks_again)
        query.emplace_back("prompt", is_google ? "select_account" : "login");
    if (is_google)
        query.emplace_back("access_type", "offline"); // Google's way to ask for a refresh token
    auto& url = endpoints.authorization;
    auto separator = url.find('?') == std::string::npos ? "?" : "&";
    return url + separator + encode_form(query);
}

struct oidc_provider::shared {
    shared(db::executor executor, https_client& http, config settings)
        : client(std::make_shared<const provider_client>(http, std::move(settings))),
          endpoints(
              executor, [client = client] { return fetch_endpoints(client); }, client->settings.negative_ttl),
          keys(
              executor, [client = client, known = endpoints] { return fetch_keys(client, known); },
              client->settings.negative_ttl)
    {}

    /// Whether to fetch newer keys. Joining a fetch in flight is always allowed.
    bool may_refetch()
    {
        if (keys.is_fetching())
            return true;
        auto now = steady_clock::now();
        if (refetched_at && now < *refetched_at + client->settings.refetch_interval)
            return false;
        refetched_at = now;
        return true;
    }

    const provider_client_ref client;
    cached_endpoints endpoints;
    cached_keys keys;
    /// The last fetch because of an unknown key.
    std::optional<steady_clock::time_point> refetched_at;
};

oidc_provider::oidc_provider(db::executor executor, https_client& client, config settings)
    : shared_(std::make_shared<shared>(executor, client, std::move(settings)))
{}

oidc_provider::~oidc_provider() = default;

const std::string& oidc_provider::issuer() const
{
    return shared_->client->settings.issuer;
}

db::awaitable<std::string> oidc_provider::request_url(std::shared_ptr<shared> self, std::string state,
                                                      std::string nonce, std::string code_challenge,
                                                      bool asks_again)
{
    auto endpoints = co_await self->endpoints.get();
    co_return build_authorization_url(self->client->settings, *endpoints, std::move(state), std::move(nonce),
                                      std::move(code_challenge), asks_again);
}

db::awaitable<oidc_login> oidc_provider::exchange(std::shared_ptr<shared> self, std::string code,
                                                  std::string code_verifier, std::string nonce,
                                                  std::optional<std::string> issuer)
{
    auto endpoints = co_await self->endpoints.get();
    // Mix-up: a response of another authorization server: its code must not reach this one (RFC 9207).
    if (issuer ? *issuer != self->client->settings.issuer : endpoints->names_issuer)
        throw oidc_failure(oidc_failure_kind::invalid_response, "the callback names another issuer, or none");
    co_await self->keys.get(); // before the code is used up
    form_fields form;
    form.emplace_back("grant_type", "authorization_code");
    form.emplace_back("code", std::move(code));
    form.emplace_back("redirect_uri", self->client->settings.redirect_uri);
    form.emplace_back("code_verifier", std::move(code_verifier));
    auto response =
        co_await post(self->client, endpoints->token, std::move(form), endpoints->client_secret_post);
    auto tokens = read_token_response(response);

    oidc_login out;
    out.claims = co_await verify(self, std::move(tokens.id_token), std::move(nonce));
    out.access_token = std::move(tokens.access_token);
    if (!tokens.refresh_token.empty())
        out.refresh_token = std::move(tokens.refresh_token);
    out.expires_in = tokens.expires_in;
    out.scope = std::move(tokens.scope);
    co_return out;
}

/// A failed fetch does not start the refetch interval: the next one may find the key.
db::awaitable<std::shared_ptr<const jwk_set>> oidc_provider::renew_keys(std::shared_ptr<shared> self)
{
    try {
        co_return co_await self->keys.renew();
    } catch (const std::exception&) {
        self->refetched_at.reset();
        throw;
    }
}

db::awaitable<crypto::id_claims> oidc_provider::verify(std::shared_ptr<shared> self, std::string token,
                                                       std::string nonce)
{
    auto& settings = self->client->settings;
    const crypto::id_token_expectations expected{settings.issuer, settings.client_id, nonce,
                                                 seconds_since_1970()};
    auto keys = co_await self->keys.get();
    auto result = crypto::verify_id_token(*keys, token, expected);
    auto is_unknown = [&result] {
        auto error = std::get_if<id_token_error>(&result);
        return error && *error == id_token_error::unknown_key;
    };
    // Providers rotate keys at any time; the interval bounds what invented key ids can cause.
    if (is_unknown() && self->may_refetch()) {
        keys = co_await renew_keys(self);
        result = crypto::verify_id_token(*keys, token, expected);
    }
    if (auto error = std::get_if<id_token_error>(&result))
        throw oidc_failure(oidc_failure_kind::invalid_response,
                           "the ID token is " + std::string(describe(*error)));
    co_return std::get<crypto::id_claims>(std::move(result));
}

db::awaitable<bool> oidc_provider::revoke_at_provider(std::shared_ptr<shared> self, std::string token)
{
    auto endpoints = co_await self->endpoints.get();
    if (endpoints->revocation.empty())
        co_return true;
    form_fields form;
    form.emplace_back("token", std::move(token));
    auto response =
        co_await post(self->client, endpoints->revocation, std::move(form), endpoints->client_secret_post);
    co_return read_revocation_response(response);
}

db::awaitable<std::string> oidc_provider::authorization_url(std::string state, std::string nonce,
                                                            std::string code_challenge, bool asks_again)
{
    return request_url(shared_, std::move(state), std::move(nonce), std::move(code_challenge), asks_again);
}

db::awaitable<oidc_login> oidc_provider::redeem(std::string code, std::string code_verifier,
                                                std::string nonce, std::optional<std::string> issuer)
{
    return exchange(shared_, std::move(code), std::move(code_verifier), std::move(nonce), std::move(issuer));
}

db::awaitable<bool> oidc_provider::revoke(std::string token)
{
    return revoke_at_provider(shared_, std::move(token));
}

} // namespace handlers
