// An index of cache entries by subject: credential, user or workspace.
#pragma once

#include "db/principals/entry_slab.hpp"
#include "db/principals/zeroed_array.hpp"

#include <boost/uuid/uuid_hash.hpp>

#include <cstring>

namespace db {

/** A hash table of intrusive lists, linked through the entries themselves. Subjects may share a bucket's
    list: ids are random, so few do. Adding and removing take constant time, however long a list is. */
class subject_index {
public:
    /// @param capacity entries without long lists; rounded up to a power of two
    subject_index(entry_slab& entries, std::size_t capacity);

    void add(entry_number number);
    void remove(entry_number number);

    /// An entry of the subject, or no_entry. Ids of the three kinds are unique among all of them.
    entry_number find(const uuid& subject) const;

    std::size_t bytes() const { return heads_.size() * sizeof(position); }

private:
    /// One of an entry's three subjects: the entry's number times four, plus which.
    using position = std::uint32_t;
    static constexpr position nowhere = no_entry;

    template <class Function>
    static void for_each_subject(const principal& of, Function call);
    static const uuid* subject_of(const principal& of, position at);

    std::size_t bucket_of(const uuid& subject) const;
    position head_of(const uuid& subject) const { return ~heads_[bucket_of(subject)]; }
    void set_head(const uuid& subject, position to) { heads_[bucket_of(subject)] = ~to; }
    principal_entry::links& at(position which) { return entries_[which / 4].subjects[which % 4]; }

    entry_slab& entries_;
    /// Complements of the positions: 0 is nowhere.
    zeroed_array<position> heads_;
};

} // namespace db
