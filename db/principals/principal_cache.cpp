#include "db/principals/principal_cache.hpp"

#include <algorithm>
#include <bit>
#include <limits>
#include <utility>

namespace db {

namespace {

/// The number of times that an entry in use is reinserted before it is evicted.
constexpr std::uint8_t max_frequency = 3;

} // namespace

principal_cache::ghosts::ghosts(std::size_t capacity)
    : slots_(std::bit_ceil(std::max<std::size_t>(capacity, 1)))
{}

std::uint32_t principal_cache::ghosts::fingerprint(const digest& key)
{
    // Other bytes than those that select the slot.
    std::uint32_t value;
    std::memcpy(&value, key.data() + sizeof(std::size_t), sizeof value);
    return value | 1;
}

bool principal_cache::ghosts::take(const digest& key)
{
    auto& known = slot(key);
    bool found = known == fingerprint(key);
    if (found)
        known = 0;
    return found;
}

principal_cache::principal_cache(std::size_t limit_bytes)
    : capacity_(limit_bytes / bytes_each), index_(0, hash{&entries_}, same{&entries_}),
      front_(entries_, capacity_), subjects_(entries_, capacity_), small_(entries_), main_(entries_),
      ghosts_(capacity_)
{
    index_.reserve(capacity_); // a rehash later would stall the core
}

principal_ref principal_cache::find(const digest& key, std::uint32_t stored_after)
{
    auto found = index_.find(key);
    return found == index_.end() ? nullptr : use(*found, stored_after);
}

principal_ref principal_cache::find(const credential_hash& hash, std::uint32_t stored_after)
{
    auto found = front_.find(hash);
    return found == no_entry ? nullptr : use(found, stored_after);
}

void principal_cache::remember(const credential_hash& hash, const digest& key)
{
    auto found = index_.find(key);
    if (found == index_.end())
        return;
    entries_[*found].principal->hash = hash;
    front_.insert(hash, *found);
}

/// Count the use of an entry, or remove it if it is too old.
principal_ref principal_cache::use(entry_number found, std::uint32_t stored_after)
{
    auto& hit = entries_[found];
    if (hit.stored_at <= stored_after || hit.generation != generation_) {
        remove(found);
        return nullptr;
    }
    if (hit.frequency < max_frequency)
        ++hit.frequency;
    return hit.principal;
}

void principal_cache::store(principal_ref added, std::uint32_t tick)
{
    evict(added->digest);
    if (capacity_ == 0)
        return;
    while (index_.size() >= capacity_)
        make_room();
    auto number = entries_.allocate();
    auto& entry = entries_[number];
    entry.in_main = ghosts_.take(added->digest);
    entry.principal = std::move(added);
    entry.stored_at = tick;
    entry.generation = generation_;
    index_.insert(number);
    subjects_.add(number);
    (entry.in_main ? main_ : small_).push(number);
}

void principal_cache::evict(const digest& key)
{
    if (auto found = index_.find(key); found != index_.end())
        remove(*found);
}

void principal_cache::evict(const uuid& subject)
{
    auto all = capacity_;
    evict(subject, all);
}

bool principal_cache::evict(const uuid& subject, std::size_t& at_most)
{
    for (auto found = subjects_.find(subject); found != no_entry; found = subjects_.find(subject)) {
        if (at_most == 0)
            return false;
        --at_most;
        remove(found);
    }
    return true;
}

void principal_cache::clear()
{
    if (generation_ == std::numeric_limits<decltype(generation_)>::max()) // no entry lives until it returns
        for (auto queue : {&small_, &main_})
            while (!queue->empty())
                remove(queue->first());
    ++generation_;
    evicted_ = index_.size();
}

bool principal_cache::free_evicted(std::size_t at_most)
{
    for (auto queue : {&small_, &main_})
        for (; at_most > 0 && !queue->empty() && is_evicted(queue->first()); --at_most)
            remove(queue->first());
    return evicted_ > 0;
}

/// While there are evicted entries, no other one moves between the queues or within one.
void principal_cache::make_room()
{
    if (evicted_ > 0)
        free_evicted(1);
    else if (small_.size() * 10 >= capacity_ || main_.empty())
        evict_from_small();
    else
        evict_from_main();
}

void principal_cache::evict_from_small()
{
    auto oldest = small_.first();
    auto& entry = entries_[oldest];
    if (entry.frequency > 0) {
        small_.remove(oldest);
        entry.frequency = 0;
        entry.in_main = true;
        main_.push(oldest);
        return;
    }
    ghosts_.add(entry.principal->digest);
    remove(oldest);
    ++evictions_;
}

void principal_cache::evict_from_main()
{
    auto oldest = main_.first();
    auto& entry = entries_[oldest];
    if (entry.frequency > 0) {
        --entry.frequency;
        main_.remove(oldest);
        main_.push(oldest);
        return;
    }
    remove(oldest);
    ++evictions_;
}

void principal_cache::remove(entry_number removed)
{
    if (is_evicted(removed))
        --evicted_;
    subjects_.remove(removed);
    index_.erase(removed);
    (entries_[removed].in_main ? main_ : small_).remove(removed);
    entries_.release(removed);
}

negative_cache::negative_cache(std::size_t limit_bytes)
    : slots_(std::bit_floor(std::max(limit_bytes / sizeof(digest), std::size_t{1})))
{}

void negative_cache::evict(const digest& key)
{
    if (contains(key))
        slots_[slot(key)] = digest{};
}

void negative_cache::clear()
{
    slots_.clear();
}

} // namespace db
