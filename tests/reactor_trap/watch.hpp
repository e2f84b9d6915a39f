// The reactors that the trap watches, and what it reports of them.
#pragma once

#include <cstdint>
#include <ctime>

namespace reactor_trap {

inline std::int64_t now_us(clockid_t clock)
{
    timespec time{};
    clock_gettime(clock, &time);
    return time.tv_sec * 1'000'000 + time.tv_nsec / 1000;
}

/// Watch this thread from now on.
void become_reactor(const char* name);

/// Whether this thread is watched.
bool is_reactor();

/// Report the call if this thread is a reactor.
void check(const char* function, const char* detail = nullptr);

/// Report the input or output of a descriptor if it may wait: for the disk, for a reader, for a peer.
void check_transfer(const char* function, int descriptor, int flags = 0);

/// Of a reactor: report a wait for another thread's lock if it was long.
void count_lock_wait(const char* function, std::int64_t time_us);

/// Of a reactor: count a block of memory from the heap.
void count_allocation();

// A turn is the time from one epoll_wait() to the next.
void begin_turn();
void end_turn();

} // namespace reactor_trap
