#include "db/principals/subject_index.hpp"

#include <algorithm>
#include <bit>

namespace db {

namespace {

std::size_t hash_of(const uuid& subject)
{
    std::size_t half; // the second one: the first begins with the time at which the id was made
    std::memcpy(&half, subject.data + 8, sizeof half);
    return half * 0x9e3779b97f4a7c15u >> 16;
}

} // namespace

subject_index::subject_index(principal_entries& entries, std::size_t room)
    : entries_(entries), heads_(std::bit_ceil(std::max<std::size_t>(room, 8)), nowhere)
{}

template <class Function>
void subject_index::for_each_subject(const principal& who, Function what)
{
    what(0u, who.credential_id);
    if (who.user_id)
        what(1u, *who.user_id);
    if (who.workspace_id)
        what(2u, *who.workspace_id);
}

const uuid* subject_index::subject_of(const principal& who, place at)
{
    switch (at % 4) {
    case 0:
        return &who.credential_id;
    case 1:
        return who.user_id ? &*who.user_id : nullptr;
    default:
        return who.workspace_id ? &*who.workspace_id : nullptr;
    }
}

std::uint32_t& subject_index::head_of(const uuid& subject)
{
    return heads_[hash_of(subject) & (heads_.size() - 1)];
}

void subject_index::add(entry_number number)
{
    for_each_subject(*entries_[number].who, [&](unsigned which, const uuid& subject) {
        auto& head = head_of(subject);
        place added = number * 4 + which;
        at(added) = {head, nowhere};
        if (head != nowhere)
            at(head).previous = added;
        head = added;
    });
}

void subject_index::remove(entry_number number)
{
    for_each_subject(*entries_[number].who, [&](unsigned which, const uuid& subject) {
        auto& gone = at(number * 4 + which);
        (gone.previous == nowhere ? head_of(subject) : at(gone.previous).next) = gone.next;
        if (gone.next != nowhere)
            at(gone.next).previous = gone.previous;
    });
}

entry_number subject_index::find(const uuid& subject) const
{
    auto found = heads_[hash_of(subject) & (heads_.size() - 1)];
    while (found != nowhere) {
        auto& entry = entries_[found / 4];
        auto about = subject_of(*entry.who, found);
        if (about && *about == subject)
            return found / 4;
        found = entry.subjects[found % 4].next;
    }
    return no_entry;
}

} // namespace db
