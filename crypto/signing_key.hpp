// Private keys that sign access tokens: P-256 (ES256) and Ed25519 (EdDSA).
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_pkey_st EVP_PKEY;

namespace crypto {

enum class jwt_algorithm { es256, eddsa };

/** A private key with its public half. Copies share the key; const member functions are safe from all
    threads. */
class signing_key {
public:
    /// A new P-256 or Ed25519 key. @throw failure
    static signing_key generate(jwt_algorithm algorithm);

    /** Load a key.
        @param der PKCS #8, as der() returns it
        @throw failure unless it is exactly one complete key of the algorithm */
    static signing_key from_der(jwt_algorithm algorithm, std::span<const std::uint8_t> der);

    std::vector<std::uint8_t> der() const;

    jwt_algorithm algorithm() const { return algorithm_; }

    /// The name that the `alg` header has: ES256 or EdDSA.
    std::string_view algorithm_name() const;

    /// The key's thumbprint (RFC 7638), so that the id identifies this key and no other.
    const std::string& kid() const { return kid_; }

    /// The public half as a JWK (RFC 7517), with kid, alg and use.
    std::string public_jwk() const;

    /** Sign a text. ES256: r and s, 32 bytes each; EdDSA: 64 bytes (RFC 7518, section 3.4; RFC 8037).
        @throw failure */
    std::vector<std::uint8_t> sign(std::string_view text) const;
    bool verify(std::string_view text, std::span<const std::uint8_t> signature) const;

private:
    signing_key(jwt_algorithm algorithm, EVP_PKEY* owned);
    std::string thumbprint_input() const;

    jwt_algorithm algorithm_;
    std::shared_ptr<EVP_PKEY> key_;
    /// Initialized contexts, copied for each operation.
    std::shared_ptr<const EVP_MD_CTX> sign_context_, verify_context_;
    std::string kid_;
};

} // namespace crypto
