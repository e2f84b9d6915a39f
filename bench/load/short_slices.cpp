#include "bench/load/short_slices.hpp"

#include <sys/syscall.h>
#include <unistd.h>

#include <cstdint>

namespace bench {

namespace {

/// As in sched_setattr(2), which the C library does not declare.
struct scheduling_attributes {
    std::uint32_t size, policy;
    std::uint64_t flags;
    std::int32_t nice;
    std::uint32_t priority;
    std::uint64_t runtime, deadline, period;
};

} // namespace

void request_short_slices()
{
    scheduling_attributes attributes{};
    if (syscall(SYS_sched_getattr, 0, &attributes, sizeof attributes, 0) != 0)
        return;
    attributes.runtime = 100'000;                  // ns, the least that the kernel grants
    syscall(SYS_sched_setattr, 0, &attributes, 0); // a refusal leaves the thread as it was
}

} // namespace bench
