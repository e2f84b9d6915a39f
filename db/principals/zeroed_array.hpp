// Zeroed array: a large table of zero bytes, of which only the pages in use are resident.
#pragma once

#include <sys/mman.h>

#include <cstddef>
#include <new>
#include <type_traits>
#include <utility>

namespace db {

/** A fixed number of values that begin as zero bytes, mapped from the operating system. A page becomes
   resident with the first write to it, so that a table has the size of its limit from the start, without a
   rehash later, and costs the memory of what it holds.
    @tparam T a type for which zero bytes are the initial value */
template <class T>
class zeroed_array {
public:
    static_assert(std::is_trivially_destructible_v<T>);

    /// Throws std::bad_alloc. @param size at least 1
    explicit zeroed_array(std::size_t size) : size_(size)
    {
        if (size > static_cast<std::size_t>(-1) / sizeof(T))
            throw std::bad_alloc();
        auto memory =
            mmap(nullptr, size * sizeof(T), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (memory == MAP_FAILED)
            throw std::bad_alloc();
        values_ = static_cast<T*>(memory);
    }

    zeroed_array(zeroed_array&& other) noexcept
        : values_(std::exchange(other.values_, nullptr)), size_(std::exchange(other.size_, 0))
    {}
    zeroed_array& operator=(zeroed_array&&) = delete;

    ~zeroed_array()
    {
        if (values_)
            munmap(values_, size_ * sizeof(T));
    }

    std::size_t size() const { return size_; }
    T& operator[](std::size_t at) { return values_[at]; }
    const T& operator[](std::size_t at) const { return values_[at]; }

    /// Make all values zero, and return the memory to the operating system. Costs in proportion to what is
    /// resident.
    void clear()
    {
        if (madvise(values_, size_ * sizeof(T), MADV_DONTNEED) != 0) // only if the pages are locked in memory
            for (std::size_t i = 0; i < size_; ++i)
                values_[i] = T{};
    }

private:
    T* values_ = nullptr;
    std::size_t size_ = 0;
};

} // namespace db
