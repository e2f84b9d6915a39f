// Opaque signed tokens: pagination cursors and unsubscribe links.
#pragma once

#include "crypto/hash.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace crypto {

/** Authenticated, unencrypted tokens: a payload and the first half of its HMAC-SHA-256, which also covers the
    context. Not thread-safe. */
class token_signer {
public:
    explicit token_signer(std::span<const std::uint8_t> key) : mac_(key) {}

    /** @param context the purpose of the token; verify() needs the same
        @return base64url */
    std::string sign(std::string_view payload, std::string_view context);

    /// @return the payload, or nothing unless sign() made the token in this context
    std::optional<std::string> verify(std::string_view token, std::string_view context);

private:
    digest mac_of(std::string_view payload, std::string_view context);

    hmac_sha256 mac_;
};

} // namespace crypto
