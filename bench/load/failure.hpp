#pragma once

#include <stdexcept>

namespace bench {

/** What keeps a run from being made; its text is for the user. */
struct failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

} // namespace bench
