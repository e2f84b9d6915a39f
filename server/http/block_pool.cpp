#include "server/http/block_pool.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <iterator>
#include <new>
#include <sanitizer/asan_interface.h>

namespace server {

namespace {

constexpr std::size_t blocks_of_slab = 128;

/// Unused blocks that keep their memory, and those that lose it in one call of trim().
constexpr std::size_t kept = 16, trimmed_at_once = 512;

/// System calls of one call of trim().
constexpr std::size_t max_calls = 64;

} // namespace

block_pool::block_pool() : stride_(std::max(block_size, static_cast<std::size_t>(sysconf(_SC_PAGESIZE)))) {}

std::size_t block_pool::slab_size() const
{
    return blocks_of_slab * stride_;
}

block_pool::~block_pool()
{
    for (auto slab : slabs_) {
        ASAN_UNPOISON_MEMORY_REGION(slab, slab_size());
        munmap(slab, slab_size());
    }
}

void block_pool::grow()
{
    auto blocks = (slabs_.size() + 1) * blocks_of_slab;
    slabs_.reserve(slabs_.size() + 1);
    for (auto list : {&resident_, &empty_})
        list->reserve(std::max(blocks, list->capacity() < blocks ? 2 * list->capacity() : 0));
    auto memory = mmap(nullptr, slab_size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        throw std::bad_alloc();
    madvise(memory, slab_size(), MADV_NOHUGEPAGE); // a huge page would make unused blocks resident
    auto slab = static_cast<std::byte*>(memory);
    ASAN_POISON_MEMORY_REGION(slab, slab_size());
    slabs_.push_back(slab);
    for (std::size_t i = blocks_of_slab; i > 0; --i) // the first one is the first to be taken
        empty_.push_back(slab + (i - 1) * stride_);
}

std::byte* block_pool::take()
{
    if (resident_.empty() && empty_.empty())
        grow();
    auto& from = resident_.empty() ? empty_ : resident_;
    auto out = from.back();
    from.pop_back();
    surplus_ = std::min(surplus_, resident_.size());
    ASAN_UNPOISON_MEMORY_REGION(out, block_size);
    return out;
}

void block_pool::give_back(std::byte* block) noexcept
{
    ASAN_POISON_MEMORY_REGION(block, block_size);
    resident_.push_back(block);
}

void block_pool::trim() noexcept
{
    // The last blocks are taken first, so the surplus is at the beginning.
    auto count = std::min(surplus_ > kept ? surplus_ - kept : 0, trimmed_at_once);
    auto begin = resident_.begin(), end = begin + static_cast<std::ptrdiff_t>(count), first = begin;
    std::sort(begin, end);
    for (std::size_t calls = 0; first != end && calls < max_calls; ++calls) { // neighbors in one call
        auto last = std::next(first);
        while (last != end && *last == *std::prev(last) + stride_)
            ++last;
        madvise(*first, static_cast<std::size_t>(last - first) * stride_, MADV_DONTNEED);
        first = last;
    }
    empty_.insert(empty_.end(), std::make_reverse_iterator(first), std::make_reverse_iterator(begin));
    resident_.erase(begin, first);
    surplus_ = resident_.size();
}

} // namespace server
