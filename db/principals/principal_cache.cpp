#include "db/principals/principal_cache.hpp"

#include <algorithm>
#include <bit>
#include <utility>

namespace db {

namespace {

constexpr std::uint8_t most_uses = 3; ///< an entry is considered so often again before it goes

} // namespace

principal_cache::ghosts::ghosts(std::size_t room) : marks_(std::bit_ceil(std::max<std::size_t>(room, 1))) {}

std::uint32_t principal_cache::ghosts::mark(const digest& key)
{
    std::uint32_t value;
    std::memcpy(&value, key.data() + sizeof(std::size_t), sizeof value); // not what chose the slot
    return value | 1;
}

bool principal_cache::ghosts::take(const digest& key)
{
    auto& known = slot(key);
    bool is_it = known == mark(key);
    if (is_it)
        known = 0;
    return is_it;
}

principal_cache::principal_cache(std::size_t limit_bytes)
    : capacity_(limit_bytes / bytes_each), index_(0, hash{&entries_}, same{&entries_}),
      subjects_(entries_, capacity_), newcomers_(entries_), trusted_(entries_), ghosts_(capacity_)
{
    index_.reserve(capacity_); // growing later would make everybody wait
}

principal_ref principal_cache::find(const digest& key, std::uint32_t stored_after)
{
    auto found = index_.find(key);
    if (found == index_.end())
        return nullptr;
    auto& hit = entries_[*found];
    if (hit.stored_at <= stored_after) {
        remove(*found);
        return nullptr;
    }
    if (hit.uses < most_uses)
        ++hit.uses;
    return hit.who;
}

void principal_cache::store(principal_ref who, std::uint32_t tick)
{
    evict(who->digest);
    if (capacity_ == 0)
        return;
    while (index_.size() >= capacity_)
        make_room();
    auto number = entries_.take();
    auto& added = entries_[number];
    added.is_trusted = ghosts_.take(who->digest);
    added.who = std::move(who);
    added.stored_at = tick;
    index_.insert(number);
    subjects_.add(number);
    (added.is_trusted ? trusted_ : newcomers_).push(number);
}

void principal_cache::evict(const digest& key)
{
    if (auto found = index_.find(key); found != index_.end())
        remove(*found);
}

void principal_cache::evict(const uuid& subject)
{
    for (auto found = subjects_.find(subject); found != no_entry; found = subjects_.find(subject))
        remove(found);
}

void principal_cache::clear()
{
    while (!newcomers_.empty())
        remove(newcomers_.first());
    while (!trusted_.empty())
        remove(trusted_.first());
}

void principal_cache::make_room()
{
    if (newcomers_.size() * 10 >= capacity_ || trusted_.empty())
        consider_newcomer();
    else
        consider_trusted();
}

void principal_cache::consider_newcomer()
{
    auto oldest = newcomers_.first();
    auto& entry = entries_[oldest];
    if (entry.uses > 0) {
        newcomers_.remove(oldest);
        entry.uses = 0;
        entry.is_trusted = true;
        trusted_.push(oldest);
        return;
    }
    ghosts_.add(entry.who->digest);
    remove(oldest);
    ++pushed_out_;
}

void principal_cache::consider_trusted()
{
    auto oldest = trusted_.first();
    auto& entry = entries_[oldest];
    if (entry.uses > 0) {
        --entry.uses;
        trusted_.remove(oldest);
        trusted_.push(oldest);
        return;
    }
    remove(oldest);
    ++pushed_out_;
}

void principal_cache::remove(entry_number unwanted)
{
    subjects_.remove(unwanted);
    index_.erase(unwanted);
    (entries_[unwanted].is_trusted ? trusted_ : newcomers_).remove(unwanted);
    entries_.give_back(unwanted);
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
