// Secrets at rest: encrypted and authenticated under a key that derives from the master key.
#pragma once

#include "crypto/keyring.hpp"

#include <cstdint>
#include <optional>
#include <span>
#include <string_view>
#include <vector>

namespace crypto {

/** AES-256-GCM (NIST SP 800-38D) with a random 96-bit nonce: good for some four thousand million values under
    one key. A sealed value is its format's number (1), the nonce, the ciphertext and the tag: 29 bytes more
    than the plain one. Safe for all threads. */
class sealer {
public:
    explicit sealer(const key& secret) : key_(secret) {}
    ~sealer();
    sealer(const sealer&) = default;
    sealer& operator=(const sealer&) = default;

    /** @param context what the value is and where it belongs; it does not open elsewhere. @throw failure */
    std::vector<std::uint8_t> seal(std::span<const std::uint8_t> plain, std::string_view context) const;

    /** @return nothing unless the value was sealed under this key in this context, and is whole */
    std::optional<std::vector<std::uint8_t>> open(std::span<const std::uint8_t> sealed,
                                                  std::string_view context) const;

private:
    key key_;
};

} // namespace crypto
