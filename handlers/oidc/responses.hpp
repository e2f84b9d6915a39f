// What an OpenID provider says of itself and of its tokens, before anything of it is used.
#pragma once

#include "handlers/oidc/https_client.hpp"

#include <chrono>
#include <stdexcept>
#include <string>
#include <string_view>

namespace handlers {

enum class oidc_failure_kind {
    unavailable,   ///< no answer, or none that can be used: try again later
    refused,       ///< the provider said no: the code is spent, the client unknown
    untrustworthy, ///< what came is not what was promised: to be believed in nothing
};

/** A sign-in that does not take place. The message has neither a token nor a code nor a secret in it, but
   what the provider said may stand there: it belongs into the log. */
class oidc_failure : public std::runtime_error {
public:
    oidc_failure(oidc_failure_kind kind, const std::string& cause) : std::runtime_error(cause), kind_(kind) {}

    oidc_failure_kind kind() const { return kind_; }

private:
    oidc_failure_kind kind_;
};

/** Where a provider is asked what. URLs, all of them https, save those of a provider on loopback without TLS.
 */
struct oidc_endpoints {
    std::string authorization, token, keys;
    std::string revocation;         // empty if it has none
    bool takes_secret_alone = true; // in the form; false: as HTTP Basic
};

/** The discovery document of `issuer` (OpenID Connect Discovery, section 4).
    @throw oidc_failure untrustworthy for one that names another issuer, or endpoints without TLS; unavailable
   if this is no such document */
oidc_endpoints read_discovery(const http_answer& heard, std::string_view issuer);

/** A successful answer of the token endpoint (RFC 6749, section 5.1), the ID token unverified. */
struct token_answer {
    std::string id_token, access_token;
    std::string refresh_token; // empty if there is none
    std::string scope;         // likewise
    std::chrono::seconds expires_in{0};
};

/** @throw oidc_failure refused for 4xx, with its `error` (section 5.2); unavailable for what makes no sense;
    untrustworthy if there is no ID token */
token_answer read_token_answer(const http_answer& heard);

/** Whether a token is revoked now (RFC 7009, section 2.2). That it was no good already counts.
    @throw oidc_failure unavailable */
bool read_revocation_answer(const http_answer& heard);

} // namespace handlers
