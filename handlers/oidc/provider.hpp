// OpenID Connect client (relying party): authorization code flow with PKCE, for Google and other providers.
#pragma once

#include "crypto/id_token.hpp"
#include "crypto/jwk_set.hpp"
#include "handlers/oidc/responses.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace handlers {

/// A sign-in completed at the provider.
struct oidc_login {
    /// Verified.
    crypto::id_claims claims;
    std::string access_token;
    std::optional<std::string> refresh_token;
    /// Lifetime of the access token; 0 if unknown.
    std::chrono::seconds expires_in{0};
    /// As granted; empty if as requested.
    std::string scope;
};

/** One provider, for one core. Its endpoints and keys are fetched when first needed and cached; concurrent
    calls share one fetch.

    Destroy it before its io_context; the https_client must outlive it. */
class oidc_provider {
public:
    struct config {
        /// Exactly as in the provider's tokens; https, or http on loopback.
        std::string issuer;
        std::string client_id, client_secret;
        /// Our callback.
        std::string redirect_uri;
        std::string scopes = "openid email profile";

        std::chrono::milliseconds discovery_ttl{std::chrono::hours(1)};
        std::chrono::seconds min_key_ttl{std::chrono::minutes(5)};
        std::chrono::seconds max_key_ttl{std::chrono::hours(24)};
        /// Minimum time between fetches for unknown keys.
        std::chrono::milliseconds refetch_interval{std::chrono::seconds(30)};
        std::chrono::milliseconds negative_ttl{std::chrono::seconds(2)};
    };

    oidc_provider(db::executor executor, https_client& client, config settings);
    ~oidc_provider();
    oidc_provider(const oidc_provider&) = delete;
    oidc_provider& operator=(const oidc_provider&) = delete;

    /// The issuer that is configured, which the tokens of all sign-ins are of.
    const std::string& issuer() const;

    /** The URL to redirect the browser to (OpenID Connect Core, section 3.1.2.1; RFC 7636). From the cache,
        except once per discovery_ttl.
        @param code_challenge S256 of the verifier for redeem()
        @param asks_again the provider is not to be content with a session that it has
        @throw oidc_failure unavailable, invalid_response */
    db::awaitable<std::string> authorization_url(std::string state, std::string nonce,
                                                 std::string code_challenge, bool asks_again = false);

    /// The same for given endpoints. Only Google gets `access_type=offline`, its own way to request a refresh
    /// token; others use the scopes. Google has no `prompt=login`, and lets the person choose the account.
    static std::string build_authorization_url(const config& settings, const oidc_endpoints& endpoints,
                                               std::string state, std::string nonce,
                                               std::string code_challenge, bool asks_again = false);

    /** Exchanges the callback's code and verifies the ID token. One call to the provider; one more, at most
        every refetch_interval, if the ID token's key is unknown. The keys are fetched before the code is
        used.
        @param issuer the callback's `iss` (RFC 9207): must be the provider's; may be missing if the provider
        does not announce it
        @throw oidc_failure of any kind */
    db::awaitable<oidc_login> redeem(std::string code, std::string code_verifier, std::string nonce,
                                     std::optional<std::string> issuer = {});

    /** Revokes an access or refresh token (RFC 7009).
        @return true if it is invalid now, or the provider has no revocation endpoint; false if it refuses
        @throw oidc_failure unavailable, invalid_response */
    db::awaitable<bool> revoke(std::string token);

private:
    struct shared;
    static db::awaitable<std::string> request_url(std::shared_ptr<shared> self, std::string state,
                                                  std::string nonce, std::string code_challenge,
                                                  bool asks_again);
    static db::awaitable<oidc_login> exchange(std::shared_ptr<shared> self, std::string code,
                                              std::string code_verifier, std::string nonce,
                                              std::optional<std::string> issuer);
    static db::awaitable<std::shared_ptr<const crypto::jwk_set>> renew_keys(std::shared_ptr<shared> self);
    static db::awaitable<crypto::id_claims> verify(std::shared_ptr<shared> self, std::string token,
                                                   std::string nonce);
    static db::awaitable<bool> revoke_at_provider(std::shared_ptr<shared> self, std::string token);

    /// Calls in flight keep it alive.
    std::shared_ptr<shared> shared_;
};

} // namespace handlers
