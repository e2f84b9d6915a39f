// A slab of cache entries with stable addresses, referred to by index.
#pragma once

#include "db/principals/principal.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace db {

/// An entry's index in the slab: half the size of a pointer, and there are many.
using entry_number = std::uint32_t;
inline constexpr entry_number no_entry = ~entry_number{0};

/// One cached principal, with its links in a queue and in the lists of its subjects.
struct principal_entry {
    struct links {
        /// Positions as in subject_index.
        std::uint32_t next = no_entry, previous = no_entry;
    };

    /// Null: free.
    principal_ref principal;

    /// A tick of the caller's clock.
    std::uint32_t stored_at = 0;

    /// Hits since the entry was last considered for eviction, saturating at a few (S3-FIFO's freq).
    std::uint8_t frequency = 0;

    /// In the main queue, not in the small one.
    bool in_main = false;

    /// Of the cache when the entry was stored.
    std::uint16_t generation = 0;

    /// Links of its queue; `next` of a free entry is the next free one.
    entry_number next = no_entry, previous = no_entry;

    std::array<links, 3> subjects;
};

/// Entries in chunks, so that growth copies nothing. Memory is reused; only the destructor returns it.
class entry_slab {
public:
    principal_entry& operator[](entry_number number) { return chunks_[number / chunk][number % chunk]; }
    const principal_entry& operator[](entry_number number) const
    {
        return chunks_[number / chunk][number % chunk];
    }

    entry_number allocate()
    {
        if (free_ == no_entry)
            return grow();
        auto number = free_;
        free_ = (*this)[number].next;
        return number;
    }

    void release(entry_number number)
    {
        (*this)[number] = {};
        (*this)[number].next = free_;
        free_ = number;
    }

private:
    static constexpr std::size_t chunk = 1024;

    entry_number grow()
    {
        if (made_ % chunk == 0)
            chunks_.push_back(std::make_unique<principal_entry[]>(chunk));
        return made_++;
    }

    std::vector<std::unique_ptr<principal_entry[]>> chunks_;
    entry_number made_ = 0, free_ = no_entry;
};

/// An intrusive FIFO queue of entries.
class entry_queue {
public:
    explicit entry_queue(entry_slab& entries) : entries_(entries) {}

    bool empty() const { return first_ == no_entry; }
    std::size_t size() const { return size_; }
    entry_number first() const { return first_; }

    void push(entry_number added)
    {
        auto& entry = entries_[added];
        entry.next = no_entry;
        entry.previous = last_;
        (last_ == no_entry ? first_ : entries_[last_].next) = added;
        last_ = added;
        ++size_;
    }

    void remove(entry_number removed)
    {
        auto& entry = entries_[removed];
        (entry.previous == no_entry ? first_ : entries_[entry.previous].next) = entry.next;
        (entry.next == no_entry ? last_ : entries_[entry.next].previous) = entry.previous;
        --size_;
    }

private:
    entry_slab& entries_;
    entry_number first_ = no_entry, last_ = no_entry;
    std::size_t size_ = 0;
};

} // namespace db
