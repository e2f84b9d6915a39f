// Splitting of signed tokens in the JWS compact serialization.
#pragma once

#include <cstddef>
#include <optional>
#include <string_view>

namespace crypto {

/** The three parts of a token (RFC 7515, section 7.1), still in base64url. Views into the token. */
struct jws_parts {
    std::string_view header, payload, signature;
    /// Header and payload with the dot between them.
    std::string_view signed_text;
};

/// @return nothing unless there are exactly three parts, in at most `max_size` characters
inline std::optional<jws_parts> split_jws(std::string_view token, std::size_t max_size)
{
    if (token.size() > max_size)
        return std::nullopt;
    auto first = token.find('.');
    auto second = token.find('.', first == std::string_view::npos ? first : first + 1);
    if (second == std::string_view::npos || token.find('.', second + 1) != std::string_view::npos)
        return std::nullopt;
    return jws_parts{token.substr(0, first), token.substr(first + 1, second - first - 1),
                     token.substr(second + 1), token.substr(0, second)};
}

} // namespace crypto
