// XAES-256-GCM: AES-256-GCM with nonces long enough to be random for any number of messages.
#pragma once

#include "crypto/keyring.hpp"

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

namespace crypto {

inline constexpr std::size_t xaes_nonce_size = 24;
inline constexpr std::size_t xaes_tag_size = 16;

using xaes_nonce = std::array<std::uint8_t, xaes_nonce_size>;

/** Encrypt with XAES-256-GCM (C2SP): the first 12 bytes of the nonce derive a key of this message by
    AES-256-CMAC (NIST SP 800-108), the other 12 are the nonce of AES-256-GCM under it. With random nonces a
    key is safe for 2^80 messages, instead of the 2^32 of AES-256-GCM alone.
    @return the ciphertext and the tag
    @throw failure */
std::vector<std::uint8_t> xaes_256_gcm_seal(const key& secret, const xaes_nonce& nonce,
                                            std::span<const std::uint8_t> plain,
                                            std::span<const std::uint8_t> associated_data);

/// Decrypt. @return nothing unless ciphertext, tag and associated data are authentic
std::optional<std::vector<std::uint8_t>> xaes_256_gcm_open(const key& secret, const xaes_nonce& nonce,
                                                           std::span<const std::uint8_t> sealed,
                                                           std::span<const std::uint8_t> associated_data);

} // namespace crypto
