// Access tokens: JWTs (RFC 7519, profile RFC 9068) signed with ES256 or EdDSA.
#pragma once

#include "crypto/signing_key.hpp"

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

namespace crypto {

/// The claims of an access token. Times are seconds since 1970.
struct claims {
    std::string issuer, subject, audience;
    /// jti
    std::string token_id;
    /// sid
    std::string session_id;
    /// wid; empty, and null in the token, for a user without a workspace.
    std::string workspace_id;
    /// Omitted from the token if empty.
    std::string role;
    /// mid, the user's membership in the workspace; omitted from the token if empty.
    std::string membership_id;
    std::int64_t issued_at = 0;
    std::int64_t expires_at = 0;
};

enum class jwt_error { malformed, unknown_key, bad_signature, wrong_issuer, wrong_audience, expired };

/** The current key set: one key signs, all of them verify. Immutable, safe from all threads. */
class jwt_keys {
public:
    jwt_keys(signing_key signer, std::vector<signing_key> verifiers);

    /// Sign a token: some 30 µs with either algorithm. @throw failure
    std::string sign(const claims& payload) const;

    /** Verify a token: the canonical encoding of its three parts, its header, the signature, then issuer,
        audience and expiry. The header is never parsed: it must equal, byte for byte, the header that one of
        our keys writes (else unknown_key), so a token cannot choose an algorithm or anything else. The
        payload must be spelled as we serialize it, so a duplicate member, for example, is malformed. Some 65
        µs (ES256) or 85 µs (EdDSA).
        @param now seconds since 1970; a token is valid until the second before its `exp` */
    std::variant<claims, jwt_error> verify(std::string_view token, std::string_view issuer,
                                           std::string_view audience, std::int64_t now) const;

    /// All public keys as a JWK set (RFC 7517, section 5).
    const std::string& jwks() const { return jwks_; }

private:
    struct entry {
        signing_key key;
        /// The header of the key's tokens, in base64url: every token of the key begins with it.
        std::string header;
    };
    const signing_key* find(std::string_view header) const;

    /// The first one signs.
    std::vector<entry> keys_;
    std::string jwks_;
};

} // namespace crypto
