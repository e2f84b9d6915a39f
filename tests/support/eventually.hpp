// Polling until a condition holds, such as an effect in another process.
#pragma once

#include <chrono>
#include <thread>
#include <utility>

namespace support {

/// The deadline of every wait of a duration that is not itself under test. Only a failing test spends it, so
/// it is generous: a sanitizer build on a loaded machine is a hundred times slower than usual.
inline constexpr std::chrono::seconds default_deadline{60};

/** Evaluate `holds` every 5 ms until it is true or the limit is reached. @return whether it is true */
template <class Condition>
bool eventually(std::chrono::milliseconds limit, Condition holds)
{
    constexpr std::chrono::milliseconds interval{5};
    auto deadline = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= deadline)
            return false;
        std::this_thread::sleep_for(interval);
    }
    return true;
}

template <class Condition>
bool eventually(Condition holds)
{
    return eventually(default_deadline, std::move(holds));
}

} // namespace support
