// Text in responses, pages and logs.
#pragma once

#include <string_view>

namespace support {

/// Whether a text contains a part.
inline bool has(std::string_view text, std::string_view part)
{
    return text.find(part) != std::string_view::npos;
}

} // namespace support
