// Access tokens: JWTs (RFC 7519, profile RFC 9068) signed with ES256 or EdDSA.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

typedef struct evp_md_ctx_st EVP_MD_CTX;
typedef struct evp_pkey_st EVP_PKEY;

namespace crypto {

enum class jwt_algorithm { es256, eddsa };

/** A private key with its public half. Copies share the key; const use is safe for all threads. */
class signing_key {
public:
    /** P-256 or Ed25519. @throw failure */
    static signing_key generate(jwt_algorithm algorithm);

    /** @param der PKCS #8, as der() gives it. @throw failure if it is not one key of the algorithm, whole */
    static signing_key from_der(jwt_algorithm algorithm, std::span<const std::uint8_t> der);

    std::vector<std::uint8_t> der() const;

    jwt_algorithm algorithm() const { return algorithm_; }
    std::string_view algorithm_name() const; // as `alg` has it

    /** The key's thumbprint (RFC 7638), so that it names this key and no other. */
    const std::string& kid() const { return kid_; }

    /** The public half as a JWK (RFC 7517), with kid, alg and use. */
    std::string public_jwk() const;

    /** ES256: r and s, 32 bytes each; EdDSA: 64 bytes (RFC 7518, section 3.4; RFC 8037). @throw failure */
    std::vector<std::uint8_t> sign(std::string_view text) const;
    bool verify(std::string_view text, std::span<const std::uint8_t> signature) const;

private:
    signing_key(jwt_algorithm algorithm, EVP_PKEY* owned);
    std::string thumbprint_input() const;

    jwt_algorithm algorithm_;
    std::shared_ptr<EVP_PKEY> key_;
    std::shared_ptr<const EVP_MD_CTX> ready_to_sign_, ready_to_verify_; // copied for each use
    std::string kid_;
};

/** What a token says. Instants in seconds since 1970. */
struct claims {
    std::string issuer, subject, audience;
    std::string token_id;     // jti
    std::string session_id;   // sid
    std::string workspace_id; // wid; empty, and null in the token, for a person without a workspace
    std::string role;         // left out if empty
    std::int64_t issued_at = 0;
    std::int64_t expires_at = 0;
};

enum class jwt_fault { malformed, unknown_key, bad_signature, wrong_issuer, wrong_audience, expired };

/** The keys of one moment: one that signs, and all that verify. Immutable, safe for all threads. */
class jwt_keys {
public:
    jwt_keys(signing_key signer, std::vector<signing_key> verifiers);

    /** Some 30 µs with either algorithm. @throw failure */
    std::string sign(const claims& what) const;

    /** Check a token whole: its three parts in their one spelling, its header, the signature, then issuer,
        audience and expiry. The header is never parsed: it must be, byte for byte, the one that a key of ours
        writes (else unknown_key), so that a token chooses neither algorithm nor anything else. Nor may the
        payload be written in another way than ours, with a member twice for example (malformed).
        Some 65 µs (ES256) or 85 µs (EdDSA).
        @param now seconds since 1970; a token is good until the second before its `exp` */
    std::variant<claims, jwt_fault> verify(std::string_view token, std::string_view issuer,
                                           std::string_view audience, std::int64_t now) const;

    /** All public keys as a JWK set (RFC 7517, section 5). */
    const std::string& jwks() const { return jwks_; }

private:
    struct entry {
        signing_key key;
        std::string header; // with which all tokens of the key begin, in base64url
    };
    const signing_key* find(std::string_view header) const;

    std::vector<entry> keys_; // the first one signs
    std::string jwks_;
};

} // namespace crypto
