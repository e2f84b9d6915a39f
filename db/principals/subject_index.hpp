// Which entries are about a credential, a user or a workspace.
#pragma once

#include "db/principals/entry_slab.hpp"

#include <boost/uuid/uuid_hash.hpp>

#include <cstring>
#include <vector>

namespace db {

/** Lists of entries by subject, threaded through the entries themselves. A bucket's list may be shared by
   several subjects: identifiers are random, so that few are. Adding and removing cost the same however long a
   list is. */
class subject_index {
public:
    /// @param room for so many entries without long lists; rounded up to a power of two
    subject_index(principal_entries& entries, std::size_t room);

    void add(entry_number number);
    void remove(entry_number number);

    /// An entry about the subject, or no_entry. Ids of the three kinds are unique among all of them.
    entry_number find(const uuid& subject) const;

    std::size_t bytes() const { return heads_.size() * sizeof(std::uint32_t); }

private:
    /// One of an entry's three subjects: its number and which.
    using place = std::uint32_t;
    static constexpr place nowhere = no_entry;

    template <class Function>
    static void for_each_subject(const principal& who, Function what);
    static const uuid* subject_of(const principal& who, place at);

    std::uint32_t& head_of(const uuid& subject);
    principal_entry::neighbours& at(place which) { return entries_[which / 4].subjects[which % 4]; }

    principal_entries& entries_;
    std::vector<std::uint32_t> heads_;
};

} // namespace db
