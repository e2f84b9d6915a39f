// Thorough runs: experiments that take too long for every change.
#pragma once

#include <cstdlib>

namespace support {

/// Whether LATCHKEY_THOROUGH is set, as in scripts/ci/nightly. Without it a test takes samples.
inline bool is_thorough()
{
    return std::getenv("LATCHKEY_THOROUGH") != nullptr;
}

} // namespace support
