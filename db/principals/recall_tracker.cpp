#include "db/principals/recall_tracker.hpp"

#include <algorithm>
#include <utility>

namespace db {

namespace {

/// A bound on memory. A dropped acknowledgement is requested again.
constexpr std::size_t max_recent = 4096;

/// @return the value of a change, which may be new
template <class Value>
Value& remember(recall_tracker::recent<Value>& in, const uuid& change)
{
    if (!in.all.contains(change)) {
        if (in.order.size() < max_recent) {
            in.order.push_back(change);
        } else {
            in.all.erase(std::exchange(in.order[in.oldest], change));
            in.oldest = (in.oldest + 1) % max_recent;
        }
    }
    return in.all[change];
}

} // namespace

void recall_tracker::connected()
{
    state_.ready = false;
    state_.looks.clear();
    for (auto& [id, seen] : state_.nodes)
        seen.stale = true;
    state_.unasked = state_.by_commit;
    state_.awaited.clear();
    state_.polls.clear();
    for (auto& [id, change] : state_.changes) {
        change.lists = 0;
        change.listed = false;
        change.pending.clear();
    }
}

recall_tracker::actions recall_tracker::listens(reception receives, time_point now)
{
    actions out;
    if (!state_.ready)
        for (auto& [id, seen] : state_.nodes)
            if (seen.stale)
                seen.since = seen.looked = now;
    state_.ready = true;
    state_.receives = receives;
    look_if_due(now, out);
    return out;
}

recall_tracker::actions recall_tracker::committed(const uuid& change, time_point now)
{
    actions out;
    auto [added, is_new] = state_.changes.try_emplace(change);
    if (!is_new)
        return out;
    added->second.committed = now;
    state_.by_commit.emplace(now, change);
    state_.unasked.emplace(now, change);
    look_if_due(now, out);
    return out;
}

recall_tracker::actions recall_tracker::acknowledged(std::span<const uuid> changes, const uuid& node,
                                                     time_point)
{
    actions out;
    for (auto& id : changes) {
        auto change = visit(id);
        if (change == state_.changes.end() || !change->second.listed) {
            add_early(id, node);
        } else if (std::erase(change->second.pending, node) > 0) {
            state_.awaited[node].erase({change->second.committed, id});
            settle_if_done(change, out);
        }
    }
    return out;
}

void recall_tracker::add_early(const uuid& change, const uuid& node)
{
    if (state_.ended.all.contains(change))
        return;
    auto& nodes = remember(state_.early_acks, change);
    if (std::ranges::find(nodes, node) == nodes.end())
        nodes.push_back(node);
}

recall_tracker::actions recall_tracker::looked(std::uint64_t look, std::span<const node_record> rows,
                                               time_point now)
{
    actions out;
    auto answered = std::ranges::find(state_.looks, look, &look_type::id);
    if (answered == state_.looks.end())
        return out; // of an earlier connection
    state_.answered = now;
    observe(rows, answered->sent, now, out);
    for (auto& each : state_.looks)
        if (each.id <= look)
            for (auto& change : std::exchange(each.lists, {}))
                list_pending(change, now, out);
    state_.looks.erase(answered);
    if (state_.receives == reception::none)
        fence_overdue(now, out);
    look_if_due(now, out);
    return out;
}

recall_tracker::actions recall_tracker::look_failed(std::uint64_t look, time_point now)
{
    actions out;
    auto failed = std::ranges::find(state_.looks, look, &look_type::id);
    if (failed == state_.looks.end())
        return out; // of an earlier connection
    for (auto& id : failed->lists)
        if (auto change = visit(id); change != state_.changes.end()) {
            change->second.lists = 0;
            state_.unasked.emplace(change->second.committed, id);
        }
    state_.looks.erase(failed);
    state_.retry_at = now + config_.retry_after;
    give_up(now, out);
    return out;
}

recall_tracker::actions recall_tracker::observed(std::span<const node_record> rows, time_point sent,
                                                 time_point now)
{
    actions out;
    observe(rows, sent, now, out);
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
    if (!state_.by_commit.empty())
        first = gives_up_at(state_.by_commit.begin()->first);
    if (auto due = look_due(); due && may_look())
        first = std::min(*first, std::max(*due, state_.retry_at));
    return first;
}

/// When the next query is due: to list the nodes, to publish again, or to see that a lease has run out.
std::optional<recall_tracker::time_point> recall_tracker::look_due() const
{
    std::optional<time_point> first;
    auto add = [&](time_point at) { first = first ? std::min(*first, at) : at; };
    if (!state_.unasked.empty())
        add(state_.unasked.begin()->first);
    if (!state_.polls.empty())
        add(state_.polls.begin()->first);
    for (auto& [node, changes] : state_.awaited)
        if (auto known = state_.nodes.find(node); !changes.empty() && known != state_.nodes.end())
            // A query that was sent then is enough, whether or not it is answered.
            if (auto at = expires_at(known->second); state_.looks.empty() || state_.looks.back().sent < at)
                add(at);
    return first;
}

void recall_tracker::look_if_due(time_point now, actions& out)
{
    if (auto due = look_due(); due && now >= *due && may_look() && now >= state_.retry_at)
        send_look(now, out);
}

void recall_tracker::send_look(time_point now, actions& out)
{
    look next;
    next.id = ++state_.last_look;
    auto& sent = state_.looks.emplace_back(look_type{next.id, now, {}});
    for (auto& [committed, id] : std::exchange(state_.unasked, {})) {
        visit(id)->second.lists = next.id;
        sent.lists.push_back(id);
    }
    while (!state_.polls.empty() && state_.polls.begin()->first <= now) {
        auto id = state_.polls.begin()->second;
        state_.polls.erase(state_.polls.begin());
        auto& change = visit(id)->second;
        change.next_poll = now + config_.poll_every;
        state_.polls.emplace(change.next_poll, id);
        next.changes.insert(next.changes.end(), change.pending.size(), id);
        next.awaited.insert(next.awaited.end(), change.pending.begin(), change.pending.end());
    }
    if (!next.changes.empty())
        fence_overdue(now, out);
    out.push_back(std::move(next));
}

recall_tracker::duration recall_tracker::patience() const
{
    switch (state_.receives) {
    case reception::proved:
        return config_.fence_after;
    case reception::unproved:
        return std::min(config_.fence_after, config_.fence_unproved_after);
    case reception::none:
        break;
    }
    return duration(0);
}

/// A node that renews without acknowledging must lose its lease. It may do so in good faith where
/// acknowledgements do not arrive.
void recall_tracker::fence_overdue(time_point now, actions& out) const
{
    fence next;
    for (auto& [node, changes] : state_.awaited)
        if (auto known = state_.nodes.find(node); !changes.empty() && known != state_.nodes.end())
            if (now >= changes.begin()->first + patience())
                next.targets.push_back({node, known->second.row.epoch});
    if (!next.targets.empty())
        out.push_back(std::move(next));
}

void recall_tracker::observe(std::span<const node_record> rows, time_point sent, time_point now, actions& out)
{
    for (auto known = state_.nodes.begin(); known != state_.nodes.end();) {
        auto& [id, seen] = *known;
        auto is_absent = std::ranges::find(rows, id, &node_record::id) == rows.end();
        if (is_absent)
            seen.looked = std::max(seen.looked, sent);
        if (!is_absent || (seen.stale && !is_expired(seen))) {
            ++known;
            continue;
        }
        release(id, out);
        known = state_.nodes.erase(known);
    }
    for (auto& row : rows) {
        observation fresh{row, now, sent, false};
        auto& seen = state_.nodes.try_emplace(row.id, fresh).first->second;
        if (seen.row.epoch != row.epoch)
            release(row.id, out);
        if (seen.stale || seen.row != row)
            seen = fresh;
        seen.looked = std::max(seen.looked, sent);
        if (is_expired(seen))
            release(row.id, out);
    }
}

/// No change waits for this node any more.
void recall_tracker::release(const uuid& node, actions& out)
{
    auto waiting = state_.awaited.find(node);
    if (waiting == state_.awaited.end())
        return;
    auto changes = std::move(waiting->second);
    state_.awaited.erase(waiting);
    for (auto& [committed, id] : changes) {
        auto change = visit(id);
        std::erase(change->second.pending, node);
        settle_if_done(change, out);
    }
}

/// The nodes are those of a query that was sent after the commit.
void recall_tracker::list_pending(const uuid& id, time_point now, actions& out)
{
    auto found = visit(id);
    if (found == state_.changes.end())
        return; // given up
    auto& change = found->second;
    change.listed = true;
    change.next_poll = now + config_.first_poll;
    state_.polls.emplace(change.next_poll, id);
    auto early = state_.early_acks.all.extract(id);
    for (auto& [node, seen] : state_.nodes) {
        if (is_expired(seen) || (early && std::ranges::find(early.mapped(), node) != early.mapped().end()))
            continue;
        change.pending.push_back(node);
        state_.awaited[node].emplace(change.committed, id);
    }
    settle_if_done(found, out);
}

recall_tracker::change_entry recall_tracker::visit(const uuid& change)
{
    ++visited_;
    return state_.changes.find(change);
}

void recall_tracker::settle_if_done(change_entry change, actions& out)
{
    if (!change->second.pending.empty())
        return;
    out.push_back(settled{change->first});
    end(change);
}

void recall_tracker::end(change_entry change)
{
    auto& [id, of] = *change;
    state_.by_commit.erase({of.committed, id});
    state_.unasked.erase({of.committed, id});
    state_.polls.erase({of.next_poll, id});
    for (auto& node : of.pending)
        state_.awaited[node].erase({of.committed, id});
    remember(state_.ended, id) = true;
    state_.changes.erase(change);
}

/// A change is given up when the database has not answered for too long, or all of its time has passed.
recall_tracker::time_point recall_tracker::gives_up_at(time_point committed) const
{
    return std::min(committed + config_.give_up_after,
                    std::max(committed, state_.answered) + config_.answer_timeout);
}

/// The earliest first.
void recall_tracker::give_up(time_point now, actions& out)
{
    while (!state_.by_commit.empty() && now >= gives_up_at(state_.by_commit.begin()->first)) {
        auto change = visit(state_.by_commit.begin()->second);
        out.push_back(gave_up{change->first});
        end(change);
    }
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
