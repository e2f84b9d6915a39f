// Waiting for what another process does.
#pragma once

#include <chrono>
#include <thread>

namespace support {

/** Look until `holds` or the time is up. @return whether it does */
template <class Condition>
bool eventually(std::chrono::milliseconds limit, Condition holds)
{
    constexpr std::chrono::milliseconds between_looks{5};
    auto until = std::chrono::steady_clock::now() + limit;
    while (!holds()) {
        if (std::chrono::steady_clock::now() >= until)
            return false;
        std::this_thread::sleep_for(between_looks);
    }
    return true;
}

} // namespace support
