// The measurements of the reactor trap, in a file that both the watched server and the test map or read.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

namespace reactor_trap {

/// One reactor. Written by its thread alone; the file survives SIGKILL.
struct turns {
    /// Of the thread; empty: unused.
    std::array<char, 16> name;
    std::int64_t count, longest_us, longest_cpu_us;
    /// Turns in which the kernel saw the thread sleep.
    std::int64_t blocked, longest_blocked_us;
    std::int64_t longest_lock_wait_us;
    /// Blocks of memory that it has taken from the heap.
    std::int64_t allocations;
};

/// The file is an array of this many.
inline constexpr std::size_t most_reactors = 256;

} // namespace reactor_trap
