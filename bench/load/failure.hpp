// The exception for all that prevents a run.
#pragma once

#include <stdexcept>

namespace bench {

/// The reason why a run cannot be made, as a message for the user.
struct failure : std::runtime_error {
    using std::runtime_error::runtime_error;
};

} // namespace bench
