// Forged tokens: a real one with a single character replaced.
#pragma once

#include <cstddef>
#include <stdexcept>
#include <string>

namespace support {

/** Replace one character of a token, so that the result has the same length and never equals the original.
    'A' becomes 'Q', everything else 'A': in base64url these two differ in the upper bits, so that even the
    last character, with lower bits that may be padding, decodes to different bytes.
    @throw out_of_range if there is no such position */
inline std::string forge(const std::string& token, std::size_t position)
{
    auto out = token;
    out.at(position) = token[position] == 'A' ? 'Q' : 'A';
    if (out == token)
        throw std::logic_error("the forged token equals the real one");
    return out;
}

/// Forge the last character.
inline std::string forge(const std::string& token)
{
    return forge(token, token.size() - 1);
}

} // namespace support
