// Base64 and base64url, in their canonical forms only.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace crypto {

/// RFC 4648, section 5, without padding.
std::string to_base64url(std::span<const std::uint8_t> bytes);

/** Decode base64url.
    @return nothing unless the text is exactly what to_base64url() writes: no padding, no white space, no
    stray bits. This gives every token a single valid encoding. */
std::optional<std::vector<std::uint8_t>> from_base64url(std::string_view text);

/// RFC 4648, section 4, padded.
std::string to_base64(std::span<const std::uint8_t> bytes);

/// Decode padded base64. @return nothing unless the text is canonical
std::optional<std::vector<std::uint8_t>> from_base64(std::string_view text);

/// RFC 4648, section 4, without padding, as used by the PHC string format.
std::string to_base64_unpadded(std::span<const std::uint8_t> bytes);
std::optional<std::vector<std::uint8_t>> from_base64_unpadded(std::string_view text);

inline std::span<const std::uint8_t> bytes_of(std::string_view text)
{
    return {reinterpret_cast<const std::uint8_t*>(text.data()), text.size()};
}

inline std::string_view text_of(std::span<const std::uint8_t> bytes)
{
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}

} // namespace crypto
