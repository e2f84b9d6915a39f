// Responses of an OpenID provider, parsed and validated: discovery, token endpoint, revocation.
#pragma once

#include "handlers/oidc/https_client.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

namespace handlers {

enum class oidc_failure_kind {
    /// No usable response: a later attempt may succeed.
    unavailable,
    /// The provider rejected the request: the code was used, or the client is unknown.
    refused,
    /// The response violates the protocol; nothing in it may be trusted.
    invalid_response,
};

/** A failed sign-in. The message contains no token, code or secret, but may quote the provider's error code:
    it is for the log. */
class oidc_failure : public std::runtime_error {
public:
    oidc_failure(oidc_failure_kind kind, const std::string& cause) : std::runtime_error(cause), kind_(kind) {}

    oidc_failure_kind kind() const { return kind_; }

private:
    oidc_failure_kind kind_;
};

/// The provider's endpoints. All URLs are https, except those of a loopback provider without TLS.
struct oidc_endpoints {
    std::string authorization, token, keys;
    /// Empty if the provider has none.
    std::string revocation;
    /// Client authentication: the secret in the form; false: HTTP Basic.
    bool client_secret_post = true;
    /// Every authorization response has the parameter `iss` (RFC 9207, section 3).
    bool names_issuer = false;
};

/** Parses the discovery document of `issuer` (OpenID Connect Discovery, section 4).
    @throw oidc_failure invalid_response if it names another issuer, or endpoints without TLS; unavailable if
    it is no discovery document */
oidc_endpoints read_discovery(const http_response& response, std::string_view issuer);

/// A successful response of the token endpoint (RFC 6749, section 5.1). The ID token is not verified yet.
struct token_response {
    std::string id_token, access_token;
    /// Empty if there is none.
    std::string refresh_token;
    /// As granted; empty if as requested.
    std::string scope;
    std::chrono::seconds expires_in{0};
};

/** @throw oidc_failure refused for 4xx, with its `error` (RFC 6749, section 5.2); unavailable for a malformed
    response; invalid_response without an ID token */
token_response read_token_response(const http_response& response);

/** Whether a token is revoked now (RFC 7009, section 2.2); true as well if it was invalid before.
    @throw oidc_failure unavailable */
bool read_revocation_response(const http_response& response);

} // namespace handlers
