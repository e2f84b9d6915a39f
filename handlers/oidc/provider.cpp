#include "handlers/oidc/provider.hpp"

#include "crypto/encoding.hpp"
#include "handlers/oidc/cached_document.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace handlers {

using crypto::id_token_fault;
using crypto::verification_keys;
using std::chrono::steady_clock;

namespace {

/** What every question to the provider needs. Never changes. */
struct line {
    https_client& web;
    const oidc_provider::config settings;
};

using line_ref = std::shared_ptr<const line>;
using kept_endpoints = kept_document<oidc_endpoints>;
using kept_keys = kept_document<verification_keys>;

db::awaitable<http_answer> get(line_ref to, std::string url)
{
    try {
        co_return co_await to->web.get(std::move(url));
    } catch (const https_failure& e) {
        throw oidc_failure(oidc_failure_kind::unavailable, e.what());
    }
}

/** As `application/x-www-form-urlencoded`, each, before they are joined (RFC 6749, section 2.3.1). */
std::string basic_credential(const oidc_provider::config& of)
{
    auto pair = encode_form(of.client_id) + ":" + encode_form(of.client_secret);
    return "Basic " + crypto::to_base64(crypto::bytes_of(pair));
}

/** Ask as the client that we are. */
db::awaitable<http_answer> post(line_ref to, std::string url, form_fields form, bool secret_alone)
{
    std::string authorization;
    if (!secret_alone && !to->settings.client_secret.empty()) {
        authorization = basic_credential(to->settings);
    } else {
        form.emplace_back("client_id", to->settings.client_id);
        if (!to->settings.client_secret.empty())
            form.emplace_back("client_secret", to->settings.client_secret);
    }
    try {
        co_return co_await to->web.post_form(std::move(url), std::move(form), std::move(authorization));
    } catch (const https_failure& e) {
        throw oidc_failure(oidc_failure_kind::unavailable, e.what());
    }
}

db::awaitable<kept_endpoints::fetched> fetch_endpoints(line_ref to)
{
    std::string_view issuer = to->settings.issuer;
    auto base = issuer.ends_with('/') ? issuer.substr(0, issuer.size() - 1) : issuer;
    auto heard = co_await get(to, std::string(base) + "/.well-known/openid-configuration");
    kept_endpoints::fetched out;
    out.value = std::make_shared<const oidc_endpoints>(read_discovery(heard, issuer));
    out.good_for = to->settings.discovery_life;
    co_return out;
}

db::awaitable<kept_keys::fetched> fetch_keys(line_ref to, kept_endpoints endpoints)
{
    auto places = co_await endpoints.get();
    auto heard = co_await get(to, places->keys);
    auto keys = heard.status == 200 ? verification_keys::parse(heard.body) : std::nullopt;
    if (!keys)
        throw oidc_failure(oidc_failure_kind::unavailable, "jwks_uri answered " +
                                                               std::to_string(heard.status) +
                                                               ", no key set that can be used");
    kept_keys::fetched out;
    out.value = std::make_shared<const verification_keys>(std::move(*keys));
    out.good_for = std::clamp(heard.max_age.value_or(std::chrono::seconds(0)), to->settings.shortest_key_life,
                              to->settings.longest_key_life);
    co_return out;
}

std::int64_t seconds_since_1970()
{
    auto since = std::chrono::system_clock::now().time_since_epoch();
    return std::chrono::duration_cast<std::chrono::seconds>(since).count();
}

} // namespace

std::string oidc_provider::consent_url(const config& settings, const oidc_endpoints& places,
                                       std::string state, std::string nonce, std::string code_challenge)
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
    if (settings.issuer == crypto::google_issuer)
        query.emplace_back("access_type", "offline"); // Google's way to ask for a refresh token
    auto& url = places.authorization;
    auto joint = url.find('?') == std::string::npos ? "?" : "&";
    return url + joint + encode_form(query);
}

struct oidc_provider::shared {
    shared(db::executor where, https_client& web, config settings)
        : to(std::make_shared<const line>(web, std::move(settings))),
          endpoints(
              where, [to = to] { return fetch_endpoints(to); }, to->settings.failure_memory),
          keys(
              where, [to = to, known = endpoints] { return fetch_keys(to, known); },
              to->settings.failure_memory)
    {}

    /** Whether to ask for newer keys. Those on their way already may be waited for at any time. */
    bool may_refetch()
    {
        if (keys.is_being_fetched())
            return true;
        auto now = steady_clock::now();
        if (refetched_at && now < *refetched_at + to->settings.refetch_pause)
            return false;
        refetched_at = now;
        return true;
    }

    const line_ref to;
    kept_endpoints endpoints;
    kept_keys keys;
    std::optional<steady_clock::time_point> refetched_at; // for an unknown key
};

oidc_provider::oidc_provider(db::executor where, https_client& web, config settings)
    : shared_(std::make_shared<shared>(where, web, std::move(settings)))
{}

oidc_provider::~oidc_provider() = default;

db::awaitable<std::string> oidc_provider::ask_for_consent(std::shared_ptr<shared> all, std::string state,
                                                          std::string nonce, std::string code_challenge)
{
    auto places = co_await all->endpoints.get();
    co_return consent_url(all->to->settings, *places, std::move(state), std::move(nonce),
                          std::move(code_challenge));
}

db::awaitable<signed_in> oidc_provider::exchange(std::shared_ptr<shared> all, std::string code,
                                                 std::string code_verifier, std::string nonce)
{
    auto places = co_await all->endpoints.get();
    co_await all->keys.get(); // else a spent code would be all that is left of the sign-in
    form_fields form;
    form.emplace_back("grant_type", "authorization_code");
    form.emplace_back("code", std::move(code));
    form.emplace_back("redirect_uri", all->to->settings.redirect_uri);
    form.emplace_back("code_verifier", std::move(code_verifier));
    auto heard = co_await post(all->to, places->token, std::move(form), places->takes_secret_alone);
    auto tokens = read_token_answer(heard);

    signed_in out;
    out.who = co_await verify(all, std::move(tokens.id_token), std::move(nonce));
    out.access_token = std::move(tokens.access_token);
    if (!tokens.refresh_token.empty())
        out.refresh_token = std::move(tokens.refresh_token);
    out.expires_in = tokens.expires_in;
    out.scope = std::move(tokens.scope);
    co_return out;
}

/** A fetch that fails does not count as one: the next may be the one that brings the key. */
db::awaitable<std::shared_ptr<const verification_keys>> oidc_provider::renew_keys(std::shared_ptr<shared> all)
{
    try {
        co_return co_await all->keys.renew();
    } catch (const std::exception&) {
        all->refetched_at.reset();
        throw;
    }
}

db::awaitable<crypto::id_claims> oidc_provider::verify(std::shared_ptr<shared> all, std::string token,
                                                       std::string nonce)
{
    auto& settings = all->to->settings;
    const crypto::id_token_expectations expected{settings.issuer, settings.client_id, nonce,
                                                 seconds_since_1970()};
    auto keys = co_await all->keys.get();
    auto outcome = keys->verify_id_token(token, expected);
    auto is_unknown = [&outcome] {
        auto fault = std::get_if<id_token_fault>(&outcome);
        return fault && *fault == id_token_fault::unknown_key;
    };
    // Providers change their keys when they like. Who makes up key names must not make us ask all the time.
    if (is_unknown() && all->may_refetch()) {
        keys = co_await renew_keys(all);
        outcome = keys->verify_id_token(token, expected);
    }
    if (auto fault = std::get_if<id_token_fault>(&outcome))
        throw oidc_failure(oidc_failure_kind::untrustworthy,
                           "the ID token is " + std::string(describe(*fault)));
    co_return std::get<crypto::id_claims>(std::move(outcome));
}

db::awaitable<bool> oidc_provider::take_back(std::shared_ptr<shared> all, std::string token)
{
    auto places = co_await all->endpoints.get();
    if (places->revocation.empty())
        co_return true;
    form_fields form;
    form.emplace_back("token", std::move(token));
    auto heard = co_await post(all->to, places->revocation, std::move(form), places->takes_secret_alone);
    co_return read_revocation_answer(heard);
}

db::awaitable<std::string> oidc_provider::authorization_url(std::string state, std::string nonce,
                                                            std::string code_challenge)
{
    return ask_for_consent(shared_, std::move(state), std::move(nonce), std::move(code_challenge));
}

db::awaitable<signed_in> oidc_provider::redeem(std::string code, std::string code_verifier, std::string nonce)
{
    return exchange(shared_, std::move(code), std::move(code_verifier), std::move(nonce));
}

db::awaitable<bool> oidc_provider::revoke(std::string token)
{
    return take_back(shared_, std::move(token));
}

} // namespace handlers
