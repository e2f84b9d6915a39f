// Tokens of others: the public keys of an OpenID provider, and the ID tokens they vouch for.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

typedef struct evp_pkey_st EVP_PKEY;

namespace crypto {

/** Google's own, whose tokens may name it with or without its scheme. */
inline constexpr std::string_view google_issuer = "https://accounts.google.com";

/** What an ID token says about a person. Texts are UTF-8, of any length that fits a token. */
struct id_claims {
    std::string subject;         // 1 to 255 characters, none of them a control character
    std::string email;           // empty if the token has none, or a control character in it
    bool email_verified = false; // the provider's word for it
    std::string name;            // as `email`
};

enum class id_token_fault {
    malformed,
    wrong_algorithm,
    unknown_key, ///< perhaps of a key newer than the set: worth fetching that again
    bad_signature,
    wrong_issuer,
    wrong_audience,
    expired,
    not_yet_valid,
    wrong_nonce,
};

/** For the log. */
std::string_view describe(id_token_fault fault);

/** What an ID token must say to be for us, now. */
struct id_token_expectations {
    std::string_view issuer;   // exactly; for Google's also the spelling without a scheme, which it documents
    std::string_view audience; // our client id
    std::string_view nonce;    // what we sent along; an empty one fits no token
    std::int64_t now;          // seconds since 1970
};

/** The RSA keys of a JWK set. Immutable; copies share the keys; safe for all threads. */
class verification_keys {
public:
    /** Read a JWK set (RFC 7517, section 5). Taken are RSA keys of 2048 to 8192 bits with a public exponent
       of 32 bits at most, for signatures, for RS256 or unspecified; any other key is passed over, as the RFC
        asks. @return nothing if this is no JWK set, has more than 64 keys, or none that can be taken */
    static std::optional<verification_keys> parse(std::string_view json);

    std::size_t size() const { return keys_.size(); }
    bool has(std::string_view kid) const;

    /** Check an ID token (OpenID Connect Core, section 3.1.3.7): RS256 and nothing else, whatever its header
        says; signature; issuer, audience, authorised party, times, nonce. Clocks may differ by 60 s, an `iat`
        by 300 s. A token without `kid` is checked with the only key of the set, if there is but one; that it
        does not fit may then mean a newer key, so it is unknown_key.
        Some 30 µs with 2048 bits. */
    std::variant<id_claims, id_token_fault> verify_id_token(std::string_view token,
                                                            const id_token_expectations& expected) const;

private:
    struct entry {
        std::string kid; // empty if it has none
        std::shared_ptr<EVP_PKEY> key;
    };
    std::vector<const entry*> candidates(std::optional<std::string_view> kid) const;

    std::vector<entry> keys_;
};

} // namespace crypto
