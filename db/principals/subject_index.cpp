#include "db/principals/subject_index.hpp"

#include <algorithm>
#include <bit>

namespace db {

namespace {

std::size_t hash_of(const uuid& subject)
{
    std::size_t half; // the second: a UUIDv7 begins with its creation time
    std::memcpy(&half, subject.data + 8, sizeof half);
    return half * 0x9e3779b97f4a7c15u >> 16;
}

} // namespace

subject_index::subject_index(entry_slab& entries, std::size_t capacity)
    : entries_(entries), heads_(std::bit_ceil(std::max<std::size_t>(capacity, 8)))
{}

template <class Function>
void subject_index::for_each_subject(const principal& of, Function call)
{
    call(0u, of.credential_id);
    if (of.user_id)
        call(1u, *of.user_id);
    if (of.workspace_id)
        call(2u, *of.workspace_id);
}

const uuid* subject_index::subject_of(const principal& of, position at)
{
    switch (at % 4) {
    case 0:
        return &of.credential_id;
    case 1:
        return of.user_id ? &*of.user_id : nullptr;
    default:
        return of.workspace_id ? &*of.workspace_id : nullptr;
    }
}

std::size_t subject_index::bucket_of(const uuid& subject) const
{
    return hash_of(subject) & (heads_.size() - 1);
}

void subject_index::add(entry_number number)
{
    for_each_subject(*entries_[number].principal, [&](unsigned which, const uuid& subject) {
        auto head = head_of(subject);
        position added = number * 4 + which;
        at(added) = {head, nowhere};
        if (head != nowhere)
            at(head).previous = added;
        set_head(subject, added);
    });
}

void subject_index::remove(entry_number number)
{
    for_each_subject(*entries_[number].principal, [&](unsigned which, const uuid& subject) {
        auto& removed = at(number * 4 + which);
        if (removed.previous == nowhere)
            set_head(subject, removed.next);
        else
            at(removed.previous).next = removed.next;
        if (removed.next != nowhere)
            at(removed.next).previous = removed.previous;
    });
}

entry_number subject_index::find(const uuid& subject) const
{
    auto found = head_of(subject);
    while (found != nowhere) {
        auto& entry = entries_[found / 4];
        auto own = subject_of(*entry.principal, found);
        if (own && *own == subject)
            return found / 4;
        found = entry.subjects[found % 4].next;
    }
    return no_entry;
}

} // namespace db
