// Block pool: memory for the requests of one core's connections, which returns to the operating system.
#pragma once

#include <cstddef>
#include <vector>

namespace server {

/** Hands out blocks of one size, whole pages each, so that the memory of every unused block can be returned.
   In the heap, blocks lie between the small objects of connections, and their pages stay resident. Used by
   one thread alone. */
class block_pool {
public:
    /// In bytes: two pages of most systems. What a block's user does not touch is not resident.
    static constexpr std::size_t block_size = 8 * 1024;

    block_pool();
    block_pool(const block_pool&) = delete;
    block_pool& operator=(const block_pool&) = delete;
    /// No block is in use any more.
    ~block_pool();

    /// The block that was given back last, or another one. Its content is unspecified. Throws std::bad_alloc.
    std::byte* take();

    void give_back(std::byte* block) noexcept;

    /** Return the memory of blocks that were not in use since the last call: of all but a few, and in a
       bounded number of system calls, since each of them interrupts all processors with a thread of this
       process. */
    void trim() noexcept;

private:
    void grow();

    std::size_t slab_size() const;

    /// From a block to the next: a block, or a page if that is larger.
    const std::size_t stride_;
    std::vector<std::byte*> slabs_;
    /// Unused blocks with memory, and without. Both have space for all blocks.
    std::vector<std::byte*> resident_, empty_;
    /// The fewest resident blocks that were unused at one time since the last trim().
    std::size_t surplus_ = 0;
};

} // namespace server
