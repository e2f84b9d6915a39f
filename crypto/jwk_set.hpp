// JWK sets of OpenID providers: the RSA public keys that verify their ID tokens.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

typedef struct evp_pkey_st EVP_PKEY;

namespace crypto {

/** The RSA keys of a JWK set. Immutable; copies share the keys; safe from all threads. */
class jwk_set {
public:
    /** Read a JWK set (RFC 7517, section 5). Accepts RSA keys of 2048 to 8192 bits with a public exponent of
        at most 32 bits, for signatures, for RS256 or without `alg`; skips any other key, as the RFC requires.
        @return nothing if the text is not a JWK set, has more than 64 keys, or none that is acceptable */
    static std::optional<jwk_set> parse(std::string_view json);

    std::size_t size() const { return keys_.size(); }
    bool has(std::string_view kid) const;

    /** The keys that may have signed a token with this `kid`: usually one, several if a provider reuses an
        id. Without a `kid`, the set's only key, if it has just one. */
    std::vector<EVP_PKEY*> candidates(std::optional<std::string_view> kid) const;

private:
    struct entry {
        /// Empty if the key has none.
        std::string kid;
        std::shared_ptr<EVP_PKEY> key;
    };
    std::vector<entry> keys_;
};

/** Verify an RS256 signature: RSASSA-PKCS1-v1_5 with SHA-256 (RFC 8017, section 8.2).
    Some 30 µs with 2048 bits. */
bool verify_rs256(EVP_PKEY* key, std::string_view text, std::span<const std::uint8_t> signature);

} // namespace crypto
