// The allocation functions of the C library, which `new` calls too, and which count for the thread.
#include "tests/reactor_trap/watch.hpp"

#include <cerrno>
#include <cstddef>

using reactor_trap::count_allocation;

extern "C" {

// The same functions by the names that glibc keeps for those who replace them. dlsym() itself allocates.
void* __libc_malloc(std::size_t size);
void* __libc_calloc(std::size_t count, std::size_t size);
void* __libc_realloc(void* block, std::size_t size);
void* __libc_memalign(std::size_t alignment, std::size_t size);

void* malloc(std::size_t size)
{
    count_allocation();
    return __libc_malloc(size);
}

void* calloc(std::size_t count, std::size_t size)
{
    count_allocation();
    return __libc_calloc(count, size);
}

void* realloc(void* block, std::size_t size)
{
    count_allocation();
    return __libc_realloc(block, size);
}

void* aligned_alloc(std::size_t alignment, std::size_t size)
{
    count_allocation();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void** out, std::size_t alignment, std::size_t size)
{
    count_allocation();
    auto block = __libc_memalign(alignment, size);
    if (!block)
        return ENOMEM;
    *out = block;
    return 0;
}

} // extern "C"
