#include "db/principal_cache.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace db {

namespace {

/// Calls what for each subject a principal has, with its place among the links.
template <class Function>
void for_each_subject(const principal& who, Function what)
{
    what(0u, who.credential_id);
    if (who.user_id)
        what(1u, *who.user_id);
    if (who.workspace_id)
        what(2u, *who.workspace_id);
}

} // namespace

principal_ref principal_cache::find(const digest& key, std::uint32_t stored_after)
{
    auto found = index_.find(key);
    if (found == index_.end())
        return nullptr;
    entry& hit = **found;
    if (hit.stored_at <= stored_after) {
        remove(hit);
        return nullptr;
    }
    hit.used = true;
    return hit.who;
}

void principal_cache::store(principal_ref who, std::uint32_t tick)
{
    evict(who->digest);
    auto size = cost(*who);
    if (size > limit_)
        return;
    bytes_ += size;
    make_room();

    auto& added = *new entry;
    added.who = std::move(who);
    added.stored_at = tick;
    index_.insert(&added);
    for_each_subject(*added.who, [&](std::size_t place, const uuid& subject) {
        auto& link = added.subjects[place];
        link.of = &added;
        subjects_[subject].push_back(link);
    });
    ring_.push_back(added);
}

void principal_cache::evict(const digest& key)
{
    if (auto found = index_.find(key); found != index_.end())
        remove(**found);
}

void principal_cache::evict(const uuid& subject)
{
    // Asked anew each time round: with its last entry the subject's list goes too.
    for (auto found = subjects_.find(subject); found != subjects_.end(); found = subjects_.find(subject))
        remove(*found->second.front().of);
}

void principal_cache::clear()
{
    while (!ring_.empty())
        remove(ring_.front());
}

void principal_cache::make_room()
{
    while (bytes_ > limit_ && !ring_.empty()) {
        entry& next = ring_.front();
        if (std::exchange(next.used, false))
            ring_.splice(ring_.end(), ring_, ring_.begin());
        else
            remove(next);
    }
}

void principal_cache::remove(entry& unwanted)
{
    for_each_subject(*unwanted.who, [&](std::size_t place, const uuid& subject) {
        auto found = subjects_.find(subject);
        found->second.erase(found->second.iterator_to(unwanted.subjects[place]));
        if (found->second.empty())
            subjects_.erase(found);
    });
    bytes_ -= cost(*unwanted.who);
    index_.erase(index_.find(&unwanted));
    ring_.erase(ring_.iterator_to(unwanted));
    delete &unwanted;
}

std::size_t principal_cache::cost(const principal& who)
{
    constexpr std::size_t allocation = 16;   // what malloc keeps beside each block
    constexpr std::size_t index_slot = 16;   // a pointer and its metadata, in a table three fifths full
    constexpr std::size_t subject_slot = 56; // likewise of an id and a list, most subjects being shared
    auto text = [](const std::string& of) { return of.capacity() > 15 ? of.capacity() + allocation : 0; };

    auto bytes =
        sizeof(entry) + allocation + sizeof(principal) + 2 * allocation + index_slot + 2 * subject_slot;
    bytes += text(who.prefix) + who.scopes.capacity() * sizeof(std::string) + allocation;
    for (const auto& scope : who.scopes)
        bytes += text(scope);
    return bytes;
}

absent_digests::absent_digests(std::size_t limit_bytes)
    : slots_(std::bit_floor(std::max(limit_bytes / sizeof(digest), std::size_t{1})))
{}

void absent_digests::evict(const digest& key)
{
    if (contains(key))
        slots_[place(key)] = digest{};
}

void absent_digests::clear()
{
    slots_.assign(slots_.size(), digest{});
}

} // namespace db
