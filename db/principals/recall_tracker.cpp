#include "db/principals/recall_tracker.hpp"

#include <algorithm>

namespace db {

namespace {

/// A bound on memory. A dropped acknowledgement is requested again.
constexpr std::size_t max_early_acks = 4096;

} // namespace

void recall_tracker::connected()
{
    state_.ready = false;
    state_.looks.clear();
    for (auto& [id, seen] : state_.nodes)
        seen.stale = true;
    for (auto& [id, change] : state_.changes) {
        change.lists = 0;
        change.listed = false;
        change.pending.clear();
    }
}

recall_tracker::actions recall_tracker::listens(bool receives, time_point now)
{
    actions out;
    state_.ready = true;
    state_.receives = receives;
    for (auto& [id, seen] : state_.nodes)
        if (seen.stale)
            seen.since = seen.looked = now;
    look_if_due(now, out);
    return out;
}

recall_tracker::actions recall_tracker::committed(const uuid& change, time_point now)
{
    actions out;
    change_type added;
    added.committed = added.answered = now;
    state_.changes.insert_or_assign(change, std::move(added));
    look_if_due(now, out);
    return out;
}

recall_tracker::actions recall_tracker::acknowledged(const uuid& change, const uuid& node, time_point)
{
    actions out;
    auto found = state_.changes.find(change);
    if (found != state_.changes.end() && found->second.listed) {
        std::erase_if(found->second.pending, [&](const recall& from) { return from.node == node; });
        settle(out);
        return out;
    }
    state_.early_acks.emplace_back(change, node);
    if (state_.early_acks.size() > max_early_acks)
        state_.early_acks.pop_front();
    return out;
}

recall_tracker::actions recall_tracker::looked(std::uint64_t look, std::span<const node_record> rows,
                                               time_point now)
{
    actions out;
    auto answered = std::ranges::find(state_.looks, look, &look_type::id);
    if (answered == state_.looks.end())
        return out; // of an earlier connection
    auto sent = answered->sent;
    state_.looks.erase(answered);
    observe(rows, sent, now);
    for (auto& [id, change] : state_.changes) {
        change.answered = now;
        if (!change.listed && change.lists != 0 && change.lists <= look)
            list_pending(id, change, now);
    }
    settle(out);
    if (!state_.receives)
        fence_overdue(now, out);
    look_if_due(now, out);
    return out;
}

recall_tracker::actions recall_tracker::look_failed(std::uint64_t look, time_point now)
{
    actions out;
    std::erase_if(state_.looks, [&](const look_type& each) { return each.id == look; });
    state_.retry_at = now + config_.retry_after;
    for (auto& [id, change] : state_.changes)
        if (!change.listed && change.lists == look)
            change.lists = 0;
    give_up(now, out);
    return out;
}

recall_tracker::actions recall_tracker::observed(std::span<const node_record> rows, time_point sent,
                                                 time_point now)
{
    actions out;
    observe(rows, sent, now);
    settle(out);
    return out;
}

recall_tracker::actions recall_tracker::tick(time_point now)
{
    actions out;
    give_up(now, out);
    look_if_due(now, out);
    return out;
}

std::optional<recall_tracker::time_point> recall_tracker::wake_at() const
{
    std::optional<time_point> first;
    auto add = [&](time_point at) { first = first ? std::min(*first, at) : at; };
    for (auto& [id, change] : state_.changes) {
        add(gives_up_at(change));
        if (auto due = look_due(change); due && state_.ready && state_.looks.size() < config_.max_looks)
            add(std::max(*due, state_.retry_at));
    }
    return first;
}

/// When a change needs the next query: to list the nodes, to publish again, or to see that a lease has run
/// out.
std::optional<recall_tracker::time_point> recall_tracker::look_due(const change_type& change) const
{
    if (!change.listed)
        return change.lists == 0 ? std::optional(change.committed) : std::nullopt;
    auto due = change.next_poll;
    for (auto& from : change.pending)
        if (auto known = state_.nodes.find(from.node); known != state_.nodes.end())
            // A query that was sent then is enough, whether or not it is answered.
            if (auto at = expires_at(known->second); state_.looks.empty() || state_.looks.back().sent < at)
                due = std::min(due, at);
    return due;
}

void recall_tracker::look_if_due(time_point now, actions& out)
{
    if (!state_.ready || now < state_.retry_at || state_.looks.size() >= config_.max_looks)
        return;
    for (auto& [id, change] : state_.changes)
        if (auto due = look_due(change); due && now >= *due)
            return send_look(now, out);
}

void recall_tracker::send_look(time_point now, actions& out)
{
    look next;
    next.id = ++state_.last_look;
    for (auto& [id, change] : state_.changes) {
        if (change.lists == 0)
            change.lists = next.id;
        if (change.listed && now >= change.next_poll) {
            next.republish.push_back(id);
            change.next_poll = now + config_.poll_every;
        }
    }
    state_.looks.push_back({next.id, now});
    if (!next.republish.empty())
        fence_overdue(now, out);
    out.push_back(std::move(next));
}

/// A node that renews without acknowledging must lose its lease. It may do so in good faith where
/// acknowledgements do not arrive.
void recall_tracker::fence_overdue(time_point now, actions& out) const
{
    fence next;
    auto patience = state_.receives ? config_.fence_after : duration(0);
    for (auto& [id, change] : state_.changes)
        if (now >= change.committed + patience)
            for (auto& from : change.pending)
                if (fence_target target{from.node, from.epoch};
                    std::ranges::find(next.targets, target) == next.targets.end())
                    next.targets.push_back(target);
    if (!next.targets.empty())
        out.push_back(std::move(next));
}

void recall_tracker::observe(std::span<const node_record> rows, time_point sent, time_point now)
{
    auto is_absent = [&](const uuid& id) {
        return std::ranges::find(rows, id, &node_record::id) == rows.end();
    };
    for (auto& [id, seen] : state_.nodes)
        if (is_absent(id))
            seen.looked = std::max(seen.looked, sent);
    std::erase_if(state_.nodes, [&](const auto& known) {
        return is_absent(known.first) && (!known.second.stale || is_expired(known.second));
    });
    for (auto& row : rows) {
        observation fresh{row, now, sent, false};
        auto& seen = state_.nodes.try_emplace(row.id, fresh).first->second;
        if (seen.stale || seen.row != row)
            seen = fresh;
        seen.looked = std::max(seen.looked, sent);
    }
}

void recall_tracker::list_pending(const uuid& id, change_type& change, time_point now)
{
    change.listed = true;
    change.next_poll = now + config_.first_poll;
    for (auto& [node, seen] : state_.nodes)
        if (!is_expired(seen) &&
            std::ranges::find(state_.early_acks, std::pair(id, node)) == state_.early_acks.end())
            change.pending.push_back({node, seen.row.epoch});
    std::erase_if(state_.early_acks, [&](const auto& each) { return each.first == id; });
}

bool recall_tracker::awaits(const recall& from) const
{
    auto known = state_.nodes.find(from.node);
    return known != state_.nodes.end() && known->second.row.epoch == from.epoch && !is_expired(known->second);
}

void recall_tracker::settle(actions& out)
{
    for (auto each = state_.changes.begin(); each != state_.changes.end();) {
        auto& [id, change] = *each;
        std::erase_if(change.pending, [&](const recall& from) { return !awaits(from); });
        if (!change.listed || !change.pending.empty()) {
            ++each;
            continue;
        }
        out.push_back(settled{id});
        each = state_.changes.erase(each);
    }
}

/// A change is given up when the database has not answered for too long, or all of its time has passed.
recall_tracker::time_point recall_tracker::gives_up_at(const change_type& change) const
{
    return std::min(change.committed + config_.give_up_after, change.answered + config_.answer_timeout);
}

void recall_tracker::give_up(time_point now, actions& out)
{
    std::erase_if(state_.changes, [&](const auto& each) {
        auto& [id, change] = each;
        if (now < gives_up_at(change))
            return false;
        out.push_back(gave_up{id});
        return true;
    });
}

/// When the lease ends, by this node's clock.
recall_tracker::time_point recall_tracker::expires_at(const observation& of)
{
    return of.since + std::chrono::milliseconds(of.row.lease_ms);
}

/** How long after the end of the lease the row was still unchanged; negative: it may hold. Only a query that
    was sent after the end tells, since a renewal may have followed any earlier one. */
recall_tracker::duration recall_tracker::expired_for(const observation& of)
{
    return of.looked - expires_at(of);
}

std::size_t recall_tracker::live() const
{
    return static_cast<std::size_t>(
        std::ranges::count_if(state_.nodes, [](const auto& known) { return !is_expired(known.second); }));
}

std::vector<node_record> recall_tracker::dead(duration since) const
{
    std::vector<node_record> out;
    for (auto& [id, seen] : state_.nodes)
        if (!seen.stale && expired_for(seen) >= since)
            out.push_back(seen.row);
    return out;
}

} // namespace db
