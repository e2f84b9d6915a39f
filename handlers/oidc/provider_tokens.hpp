// What a provider lets us do for a person: its tokens, sealed at rest.
#pragma once

#include "crypto/seal.hpp"

#include <boost/describe/class.hpp>

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

namespace handlers {

struct granted_tokens {
    std::string access_token;
    std::optional<std::string> refresh_token;

    /** The one whose revocation ends both (RFC 7009, section 2.1). */
    const std::string& longest() const { return refresh_token ? *refresh_token : access_token; }
};
BOOST_DESCRIBE_STRUCT(granted_tokens, (), (access_token, refresh_token))

std::vector<std::uint8_t> seal_tokens(const crypto::sealer& sealer, const granted_tokens& tokens);

/** @return nothing if they were sealed under another master key, or are no tokens */
std::optional<granted_tokens> open_tokens(const crypto::sealer& sealer, std::span<const std::uint8_t> sealed);

} // namespace handlers
