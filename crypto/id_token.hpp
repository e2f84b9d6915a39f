// ID tokens of OpenID providers (OpenID Connect Core 1.0).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

namespace crypto {

class jwk_set;

/// Google's issuer. Its tokens may name it with or without the scheme.
inline constexpr std::string_view google_issuer = "https://accounts.google.com";

/// The claims of a verified ID token. Texts are UTF-8, of any length that fits a token.
struct id_claims {
    /// 1 to 255 characters without control characters.
    std::string subject;
    /// Empty if the token has none, or one with a control character.
    std::string email;
    /// As asserted by the provider.
    bool email_verified = false;
    /// Empty under the same conditions as `email`.
    std::string name;
    /// `hd` of Google: the domain of the organization that manages the account. Empty for any other account,
    /// and under the same conditions as `email`. Other issuers may use the name for anything.
    std::string hosted_domain;
};

enum class id_token_error {
    malformed,
    wrong_algorithm,
    /// Possibly a key newer than the set: worth fetching the set again.
    unknown_key,
    bad_signature,
    wrong_issuer,
    wrong_audience,
    expired,
    not_yet_valid,
    wrong_nonce,
};

/// A text for the log.
std::string_view describe(id_token_error error);

/// The expected claims of an ID token.
struct id_token_expectations {
    /// Compared exactly; Google's also without its scheme, as Google documents.
    std::string_view issuer;
    /// Our client id.
    std::string_view audience;
    /// The nonce of the authorization request; an empty one matches no token.
    std::string_view nonce;
    /// Seconds since 1970.
    std::int64_t now;
};

/** Verify an ID token (OpenID Connect Core, section 3.1.3.7): RS256 only, regardless of the header;
    signature; issuer, audience, authorized party, times and nonce. Tolerates a clock skew of 60 s, and of 300
    s for `iat`. A token without `kid` is checked with the only key of the set, if it has just one; a mismatch
    then may mean that the key was replaced, so it is reported as unknown_key. Some 30 µs with 2048 bits. */
std::variant<id_claims, id_token_error> verify_id_token(const jwk_set& keys, std::string_view token,
                                                        const id_token_expectations& expected);

} // namespace crypto
