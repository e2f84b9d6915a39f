// Encryption of stored secrets: XAES-256-GCM under keys derived from the master key, one for each purpose.
#pragma once

#include "crypto/keyring.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace crypto {

/// What a sealed value is for. Each has a key of its own, so that no value opens as one of another purpose.
enum class seal_purpose {
    signing_key,
    /// Token of an emailed link, in the outbox.
    outbox_token,
    /// Tokens of an OpenID provider.
    provider_tokens,
    /// State of a sign-in at an OpenID provider, in a cookie of an anonymous browser.
    oauth_state,
    /// A completed sign-in at an OpenID provider, until it is exchanged for a session.
    oauth_code,
    /// A sign-up through an OpenID provider, until its address is verified.
    pending_signup
};

/** Seals with random 192-bit nonces: safe for any number of values (crypto/xaes.hpp). A sealed value is a
    format version (2), the nonce, the ciphertext and the tag: 41 bytes more than the plaintext. Thread-safe.
 */
class sealer {
public:
    /// @throw failure
    explicit sealer(const keyring& keys);
    ~sealer();
    sealer(const sealer&) = default;
    sealer& operator=(const sealer&) = default;

    /** Encrypt.
        @param context associated data that binds the value to its row; open() needs the same
        @throw failure */
    std::vector<std::uint8_t> seal(seal_purpose purpose, std::span<const std::uint8_t> plain,
                                   std::string_view context) const;

    /// Decrypt. @return nothing unless the value is authentic, for this purpose and in this context
    std::optional<std::vector<std::uint8_t>> open(seal_purpose purpose, std::span<const std::uint8_t> sealed,
                                                  std::string_view context) const;

private:
    const key& key_of(seal_purpose purpose) const { return keys_[static_cast<std::size_t>(purpose)]; }

    /// By purpose.
    std::array<key, 6> keys_;
};

} // namespace crypto
