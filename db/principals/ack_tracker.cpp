#include "db/principals/ack_tracker.hpp"

#include <algorithm>

namespace db {

namespace {

constexpr std::size_t most_early = 4096; ///< one that is pushed out is asked for again

} // namespace

void peer_watch::observe(std::span<const peer> rows, time_point now)
{
    std::erase_if(peers_, [&](const auto& known) {
        return std::ranges::find(rows, known.first, &peer::id) == rows.end();
    });
    for (auto& row : rows) {
        auto [known, is_new] = peers_.try_emplace(row.id, sight{row, now});
        if (!is_new && known->second.row != row)
            known->second = {row, now};
    }
}

void peer_watch::forget()
{
    peers_.clear();
    waiting_.clear();
    early_.clear();
}

void peer_watch::begin(const uuid& change, std::span<const peer> rows, time_point now)
{
    observe(rows, now);
    auto& owed = waiting_[change];
    for (auto& [id, seen] : peers_)
        if (!is_dead(seen, now) && std::ranges::find(early_, std::pair(change, id)) == early_.end())
            owed.push_back({id, seen.row.epoch});
    std::erase_if(early_, [&](const auto& each) { return each.first == change; });
}

void peer_watch::acknowledge(const uuid& change, const uuid& node)
{
    if (auto found = waiting_.find(change); found != waiting_.end()) {
        std::erase_if(found->second, [&](const debt& owed) { return owed.node == node; });
        return;
    }
    early_.emplace_back(change, node);
    if (early_.size() > most_early)
        early_.pop_front();
}

bool peer_watch::settled(const uuid& change, time_point now)
{
    auto found = waiting_.find(change);
    if (found == waiting_.end())
        return false;
    std::erase_if(found->second, [&](const debt& owed) { return !still_owes(owed, now); });
    if (!found->second.empty())
        return false;
    waiting_.erase(found);
    return true;
}

/// For how long its lease has been over; negative: it may hold.
boot_clock::duration peer_watch::silence(const sight& of, time_point now)
{
    return now - of.since - std::chrono::milliseconds(of.row.lease_ms);
}

bool peer_watch::still_owes(const debt& owed, time_point now) const
{
    auto known = peers_.find(owed.node);
    return known != peers_.end() && known->second.row.epoch == owed.epoch && !is_dead(known->second, now);
}

std::size_t peer_watch::live(time_point now) const
{
    return static_cast<std::size_t>(
        std::ranges::count_if(peers_, [&](const auto& known) { return !is_dead(known.second, now); }));
}

std::vector<peer> peer_watch::dead(time_point now, boot_clock::duration since) const
{
    std::vector<peer> out;
    for (auto& [id, seen] : peers_)
        if (silence(seen, now) >= since)
            out.push_back(seen.row);
    return out;
}

} // namespace db
