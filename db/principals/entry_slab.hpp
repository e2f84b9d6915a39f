// Where a cache keeps its entries: they never move, and are called by small numbers.
#pragma once

#include "db/principals/principal.hpp"

#include <array>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <vector>

namespace db {

/// An entry's number. Half as large as a pointer, and there are many.
using entry_number = std::uint32_t;
inline constexpr entry_number no_entry = ~entry_number{0};

/// One remembered principal, with its place in a queue and in the lists of its subjects.
struct principal_entry {
    principal_ref who;                                 ///< null: free
    std::uint32_t stored_at = 0;                       ///< by the caller's clock
    std::uint8_t uses = 0;                             ///< since it was last considered, up to a few
    bool is_trusted = false;                           ///< in the main queue, not on probation
    entry_number next = no_entry, previous = no_entry; ///< in its queue; of a free one the next free
    struct neighbours {
        std::uint32_t next = no_entry, previous = no_entry; ///< places as in subject_index
    };
    std::array<neighbours, 3> subjects;
};

/** Entries in chunks, so that growing copies nothing. Memory is used again, and given back only by the
 * destructor. */
class principal_entries {
public:
    principal_entry& operator[](entry_number number) { return chunks_[number / chunk][number % chunk]; }
    const principal_entry& operator[](entry_number number) const
    {
        return chunks_[number / chunk][number % chunk];
    }

    entry_number take()
    {
        if (free_ == no_entry)
            return grow();
        auto number = free_;
        free_ = (*this)[number].next;
        return number;
    }

    void give_back(entry_number number)
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

/// A queue through entries: first in, first out.
class entry_queue {
public:
    explicit entry_queue(principal_entries& entries) : entries_(entries) {}

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

    void remove(entry_number gone)
    {
        auto& entry = entries_[gone];
        (entry.previous == no_entry ? first_ : entries_[entry.previous].next) = entry.next;
        (entry.next == no_entry ? last_ : entries_[entry.next].previous) = entry.previous;
        --size_;
    }

private:
    principal_entries& entries_;
    entry_number first_ = no_entry, last_ = no_entry;
    std::size_t size_ = 0;
};

} // namespace db
