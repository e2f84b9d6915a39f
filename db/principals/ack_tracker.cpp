#include "db/principals/ack_tracker.hpp"

#include <algorithm>

namespace db {

namespace {

/// A bound on memory. A dropped acknowledgement is requested again.
constexpr std::size_t max_early_acks = 4096;

} // namespace

void ack_tracker::observe(std::span<const node_record> rows, time_point now)
{
    std::erase_if(nodes_, [&](const auto& known) {
        return std::ranges::find(rows, known.first, &node_record::id) == rows.end();
    });
    for (auto& row : rows) {
        auto [known, is_new] = nodes_.try_emplace(row.id, observation{row, now});
        if (!is_new && known->second.row != row)
            known->second = {row, now};
    }
}

void ack_tracker::reset()
{
    nodes_.clear();
    pending_.clear();
    early_acks_.clear();
}

void ack_tracker::begin(const uuid& change, std::span<const node_record> rows, time_point now)
{
    observe(rows, now);
    auto& pending = pending_[change];
    for (auto& [id, seen] : nodes_)
        if (!is_expired(seen, now) &&
            std::ranges::find(early_acks_, std::pair(change, id)) == early_acks_.end())
            pending.push_back({id, seen.row.epoch});
    std::erase_if(early_acks_, [&](const auto& each) { return each.first == change; });
}

void ack_tracker::acknowledge(const uuid& change, const uuid& node)
{
    if (auto found = pending_.find(change); found != pending_.end()) {
        std::erase_if(found->second, [&](const pending_ack& from) { return from.node == node; });
        return;
    }
    early_acks_.emplace_back(change, node);
    if (early_acks_.size() > max_early_acks)
        early_acks_.pop_front();
}

bool ack_tracker::is_complete(const uuid& change, time_point now)
{
    auto found = pending_.find(change);
    if (found == pending_.end())
        return false;
    std::erase_if(found->second, [&](const pending_ack& from) { return !awaits_ack(from, now); });
    if (!found->second.empty())
        return false;
    pending_.erase(found);
    return true;
}

/// The time since the lease expired; negative: it may hold.
boot_clock::duration ack_tracker::expired_for(const observation& of, time_point now)
{
    return now - of.since - std::chrono::milliseconds(of.row.lease_ms);
}

bool ack_tracker::awaits_ack(const pending_ack& from, time_point now) const
{
    auto known = nodes_.find(from.node);
    return known != nodes_.end() && known->second.row.epoch == from.epoch && !is_expired(known->second, now);
}

std::size_t ack_tracker::live(time_point now) const
{
    return static_cast<std::size_t>(
        std::ranges::count_if(nodes_, [&](const auto& known) { return !is_expired(known.second, now); }));
}

std::vector<node_record> ack_tracker::dead(time_point now, boot_clock::duration since) const
{
    std::vector<node_record> out;
    for (auto& [id, seen] : nodes_)
        if (expired_for(seen, now) >= since)
            out.push_back(seen.row);
    return out;
}

} // namespace db
