// The options of a command line, for tests.
#pragma once

#include "bench/scenarios/options.hpp"

#include <string>
#include <vector>

namespace bench::test {

inline bench::options parse(std::vector<std::string> words)
{
    words.insert(words.begin(), "latchkey-bench");
    std::vector<char*> pointers;
    for (auto& word : words)
        pointers.push_back(word.data());
    return bench::parse_options(static_cast<int>(pointers.size()), pointers.data());
}

} // namespace bench::test
