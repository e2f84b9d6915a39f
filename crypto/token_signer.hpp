// Opaque tokens that only we can have made: cursors.
#pragma once

#include "crypto/hash.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace crypto {

/** Makes and opens authenticated texts. Their content can be read by anyone, made by none: half of an
    HMAC-SHA-256 vouches for it, and for the context it was made in. For one thread at a time. */
class token_signer {
public:
    explicit token_signer(std::span<const std::uint8_t> key) : mac_(key) {}

    /** @param context what the token is good for; it does not open in another
        @return base64url */
    std::string sign(std::string_view payload, std::string_view context);

    /** @return the payload, or nothing if the token was not made by sign() in this context */
    std::optional<std::string> open(std::string_view token, std::string_view context);

private:
    digest mac_of(std::string_view payload, std::string_view context);

    hmac_sha256 mac_;
};

} // namespace crypto
