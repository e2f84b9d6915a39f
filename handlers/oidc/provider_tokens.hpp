// A provider's tokens for a user, sealed at rest.
#pragma once

#include "crypto/seal.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace handlers {

struct provider_tokens {
    std::string access_token;
    std::optional<std::string> refresh_token;

    /// The token to revoke: revoking the refresh token ends the access token too (RFC 7009, section 2.1).
    const std::string& revocation_target() const { return refresh_token ? *refresh_token : access_token; }
};
BOOST_DESCRIBE_STRUCT(provider_tokens, (), (access_token, refresh_token))

std::vector<std::uint8_t> seal_tokens(const crypto::sealer& sealer, const provider_tokens& tokens);

/// @return nothing if they were sealed with another master key, or are malformed
std::optional<provider_tokens> open_tokens(const crypto::sealer& sealer,
                                           std::span<const std::uint8_t> sealed);

} // namespace handlers
