// Key derivation: one key per purpose, derived from the master key.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

namespace crypto {

/// The HKDF `info` of each derived key. Never change one that is in use: all data under that key would be
/// lost.
namespace purpose {
inline constexpr std::string_view api_key_digest = "latchkey/api-key-digest/1";
inline constexpr std::string_view refresh_token = "latchkey/refresh-token/1";
inline constexpr std::string_view cursor = "latchkey/cursor/1";
inline constexpr std::string_view unsubscription = "latchkey/unsubscription/1";
inline constexpr std::string_view seal_signing_key = "latchkey/seal/signing-key/1";
inline constexpr std::string_view seal_outbox_token = "latchkey/seal/outbox-token/1";
inline constexpr std::string_view seal_provider_tokens = "latchkey/seal/provider-tokens/1";
inline constexpr std::string_view seal_oauth_state = "latchkey/seal/oauth-state/1";
inline constexpr std::string_view seal_oauth_code = "latchkey/seal/oauth-code/1";
inline constexpr std::string_view seal_pending_signup = "latchkey/seal/pending-signup/1";
inline constexpr std::string_view rate_limit = "latchkey/rate-limit/1";
inline constexpr std::string_view tls_tickets = "latchkey/tls-tickets/1";
} // namespace purpose

using key = std::array<std::uint8_t, 32>;

/// The master key. Wiped on destruction.
class keyring {
public:
    explicit keyring(const key& master) : master_(master) {}
    keyring(const keyring&) = default;
    keyring& operator=(const keyring&) = default;
    ~keyring();

    /// @return nothing unless the text is 32 bytes in base64
    static std::optional<keyring> from_base64(std::string_view text);

    /** Derive the key of a purpose by HKDF-SHA-256 (RFC 5869), without salt since the master key is uniformly
        random.
        @throw failure */
    key derive(std::string_view purpose) const;

private:
    key master_;
};

/// HKDF-SHA-256 (RFC 5869), extract and expand. @throw failure
void hkdf_sha256(std::span<const std::uint8_t> secret, std::span<const std::uint8_t> salt,
                 std::span<const std::uint8_t> info, std::span<std::uint8_t> out);

} // namespace crypto
