// Encryption of stored secrets: AES-256-GCM under a key derived from the master key.
#pragma once

#include "crypto/keyring.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace crypto {

/** AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce: safe for some four billion values per key. A
    sealed value is a format version (1), the nonce, the ciphertext and the tag: 29 bytes more than the
    plaintext. Thread-safe. */
class sealer {
public:
    explicit sealer(const key& secret) : key_(secret) {}
    ~sealer();
    sealer(const sealer&) = default;
    sealer& operator=(const sealer&) = default;

    /** Encrypt.
        @param context associated data that binds the value to its purpose and row; open() needs the same
        @throw failure */
    std::vector<std::uint8_t> seal(std::span<const std::uint8_t> plain, std::string_view context) const;

    /// Decrypt. @return nothing unless the value is authentic, under this key and in this context
    std::optional<std::vector<std::uint8_t>> open(std::span<const std::uint8_t> sealed,
                                                  std::string_view context) const;

private:
    key key_;
};

} // namespace crypto
