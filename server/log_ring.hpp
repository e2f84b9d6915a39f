// Log ring: a bounded single-producer single-consumer queue of log lines.
#pragma once

#include <algorithm>
#include <atomic>
#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>

namespace server {

/** A lock-free ring buffer of bytes. One thread pushes lines, another one reads them. Neither ever waits for
    the other: a line that does not fit is dropped as a whole and counted. */
class log_ring {
public:
    /// @param capacity in bytes, a power of two
    explicit log_ring(std::size_t capacity)
        : mask_(capacity - 1), bytes_(std::make_unique_for_overwrite<char[]>(capacity))
    {}

    /// Producer: append a line, or count it as dropped. @return whether it fitted
    bool push(std::string_view line)
    {
        auto end = end_.load(std::memory_order_relaxed);
        if (line.size() > capacity() - (end - begin_.load(std::memory_order_acquire))) {
            dropped_.fetch_add(1, std::memory_order_relaxed);
            return false;
        }
        auto at = end & mask_;
        auto before_wrap = std::min(line.size(), capacity() - at);
        std::memcpy(bytes_.get() + at, line.data(), before_wrap);
        std::memcpy(bytes_.get(), line.data() + before_wrap, line.size() - before_wrap);
        // Sequentially consistent: the consumer announces its sleep before it looks here a last time.
        end_.store(end + line.size(), std::memory_order_seq_cst);
        return true;
    }

    /// Consumer: copy the oldest bytes, `limit` at most, without removing them. @return their number
    std::size_t peek(char* to, std::size_t limit) const
    {
        auto begin = begin_.load(std::memory_order_relaxed);
        auto size = std::min(limit, end_.load(std::memory_order_acquire) - begin);
        auto at = begin & mask_;
        auto before_wrap = std::min(size, capacity() - at);
        std::memcpy(to, bytes_.get() + at, before_wrap);
        std::memcpy(to + before_wrap, bytes_.get(), size - before_wrap);
        return size;
    }

    /// Consumer: remove the oldest bytes, no more than peek() has returned.
    void pop(std::size_t size)
    {
        begin_.store(begin_.load(std::memory_order_relaxed) + size, std::memory_order_release);
    }

    /// Any thread.
    bool empty() const { return end_.load() == begin_.load(); }

    /// Any thread: lines dropped so far.
    std::uint64_t dropped() const { return dropped_.load(std::memory_order_relaxed); }

    std::size_t capacity() const { return mask_ + 1; }

private:
    const std::size_t mask_;
    const std::unique_ptr<char[]> bytes_;

    /// Counts of bytes read and written since the start; they never wrap around. Each on its own cache line.
    alignas(64) std::atomic<std::size_t> begin_{0};
    alignas(64) std::atomic<std::size_t> end_{0};
    std::atomic<std::uint64_t> dropped_{0};
};

} // namespace server
