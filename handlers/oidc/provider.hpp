// Signing in with an OpenID provider such as Google: authorization code flow with PKCE.
#pragma once

#include "crypto/jwks.hpp"
#include "handlers/oidc/responses.hpp"

#include <chrono>
#include <memory>
#include <optional>
#include <string>

namespace handlers {

/** Who has signed in, and what the provider gave along. */
struct signed_in {
    crypto::id_claims who;
    std::string access_token;
    std::optional<std::string> refresh_token;
    std::chrono::seconds expires_in{0}; // of the access token; 0 if unknown
    std::string scope;                  // as granted; empty if as asked for
};

/** One provider, for one core. What it says of itself (endpoints, keys) is fetched when first needed and
   kept; whoever needs it meanwhile waits for the same fetch.

    To be destroyed before its io_context; the https_client outlives it. */
class oidc_provider {
public:
    struct config {
        std::string issuer; // exactly as the provider writes it; https, or http on loopback
        std::string client_id, client_secret;
        std::string redirect_uri; // our callback
        std::string scopes = "openid email profile";

        std::chrono::milliseconds discovery_life{std::chrono::hours(1)};
        std::chrono::seconds shortest_key_life{std::chrono::minutes(5)};
        std::chrono::seconds longest_key_life{std::chrono::hours(24)};
        std::chrono::milliseconds refetch_pause{std::chrono::seconds(30)}; // between fetches for unknown keys
        std::chrono::milliseconds failure_memory{std::chrono::seconds(2)};
    };

    oidc_provider(db::executor where, https_client& web, config settings);
    ~oidc_provider();
    oidc_provider(const oidc_provider&) = delete;
    oidc_provider& operator=(const oidc_provider&) = delete;

    /** Where to send the browser (OpenID Connect Core, section 3.1.2.1; RFC 7636). From memory but for the
       first time in an hour.
        @param code_challenge S256 of the verifier that redeem() will be given
        @throw oidc_failure unavailable, untrustworthy */
    db::awaitable<std::string> authorization_url(std::string state, std::string nonce,
                                                 std::string code_challenge);

    /** The same for endpoints that are known. Google alone is asked for offline access, its own way to a
       refresh token; others go by the scopes. */
    static std::string consent_url(const config& settings, const oidc_endpoints& places, std::string state,
                                   std::string nonce, std::string code_challenge);

    /** Exchange the callback's code and verify who it stands for. One call to the provider; one more, at most
        every 30 s, if the ID token's key is not known yet. The keys are at hand before the code is spent.
        @throw oidc_failure of any kind */
    db::awaitable<signed_in> redeem(std::string code, std::string code_verifier, std::string nonce);

    /** Take an access or refresh token back (RFC 7009).
        @return true if it is of no use any more, or the provider has no such call; false if it refuses
        @throw oidc_failure unavailable, untrustworthy */
    db::awaitable<bool> revoke(std::string token);

private:
    struct shared;
    static db::awaitable<std::string> ask_for_consent(std::shared_ptr<shared> all, std::string state,
                                                      std::string nonce, std::string code_challenge);
    static db::awaitable<signed_in> exchange(std::shared_ptr<shared> all, std::string code,
                                             std::string code_verifier, std::string nonce);
    static db::awaitable<std::shared_ptr<const crypto::verification_keys>>
    renew_keys(std::shared_ptr<shared> all);
    static db::awaitable<crypto::id_claims> verify(std::shared_ptr<shared> all, std::string token,
                                                   std::string nonce);
    static db::awaitable<bool> take_back(std::shared_ptr<shared> all, std::string token);

    std::shared_ptr<shared> shared_; // a call under way keeps it
};

} // namespace handlers
