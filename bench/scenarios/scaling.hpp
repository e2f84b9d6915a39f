// Scaling: key checks by a server on one processor, and on more.
#pragma once

#include "bench/scenarios/options.hpp"

#include <vector>

namespace bench {

/// Powers of two below `processors`, and that number itself.
std::vector<std::size_t> default_cores(std::size_t processors);

/// Where a server with a number of threads runs, and where the generator does.
struct placement {
    std::vector<int> server, generator;
    /// Whether they compete for processors.
    bool is_shared = false;
};

/** The server on the first `cores` of its processors, and the generator on `own`, or, if that is empty, on
    the rest of all processors, or on all if there is no rest. */
placement place(std::size_t cores, const std::vector<int>& of_server, const std::vector<int>& own,
                const std::vector<int>& all);

/// Measure key checks with each number of server threads, in turns. @return the exit status
int run_scale(const options& wanted);

} // namespace bench
