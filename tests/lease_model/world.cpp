#include "tests/lease_model/world.hpp"

#include "tests/lease_model/messages.hpp"

#include <algorithm>
#include <utility>
#include <variant>

namespace lease_model {

namespace {

unsigned keys_of(const db::invalidation& affected, unsigned all)
{
    if (affected.everything)
        return all;
    auto out = 0u;
    for (auto& id : affected.credentials)
        out |= 1u << key_of(id);
    return out;
}

std::chrono::microseconds server_time(time_point at)
{
    return std::chrono::duration_cast<std::chrono::microseconds>(at.time_since_epoch());
}

/// Whether PostgreSQL's execution of a request of a lost connection changes nothing, or, as a renewal's, only
/// prolongs the wait for the node.
bool has_no_effect(const request& of)
{
    using kind = request::kind_type;
    return of.kind == kind::listen || of.kind == kind::renew || (of.kind == kind::look && of.changes.empty());
}

bool is_look(const std::vector<reply>& of)
{
    return !of.empty() && of.front().kind == request::kind_type::look;
}

recall_tracker::config recall_settings(const setup& how)
{
    recall_tracker::config out;
    out.first_poll = out.poll_every = out.retry_after = tick;
    out.fence_after = how.fence_after * tick;
    out.answer_timeout = out.give_up_after = std::chrono::hours(1);
    out.max_looks = how.max_looks;
    return out;
}

} // namespace

std::string step::text() const
{
    static constexpr const char* names[] = {"revoke key",
                                            "commit returns, key",
                                            "PostgreSQL executes",
                                            "PostgreSQL executes late",
                                            "receives reply",
                                            "receives notice",
                                            "fence is executed",
                                            "timers",
                                            "core evicts",
                                            "core reads key",
                                            "core caches key",
                                            "connection lost",
                                            "fails",
                                            "starts",
                                            "reads the rows",
                                            "tick"};
    auto out = std::string(names[static_cast<std::size_t>(kind)]);
    if (kind == kind_type::tick)
        return out;
    return "node " + std::to_string(node) + " core " + std::to_string(core) + " key " + std::to_string(key) +
           ": " + out;
}

world::world(const setup& how)
    : setup_(&how), cuts_(how.cuts), failures_(how.failures), observations_(how.observations)
{
    for (auto origin : how.revocations)
        revocations_.push_back({origin, progress::waiting, {}});
    for (std::size_t i = 0; i < how.has_cache.size(); ++i) {
        nodes_.emplace_back(how.lease * tick, recall_settings(how));
        nodes_.back().cores.resize(how.has_cache[i] ? how.cores : 0);
    }
    // All nodes start connected, with fresh leases.
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        connect(i);
    auto is_begun = [&](const node& of) {
        return of.requests.empty()
                   ? of.replies.empty()
                   : !how.begins_registered && of.requests.front().kind == request::kind_type::register_node;
    };
    for (std::size_t i = 0; i < nodes_.size(); ++i)
        while (!is_begun(nodes_[i])) {
            if (!nodes_[i].requests.empty())
                execute(i);
            if (!nodes_[i].replies.empty())
                receive_reply(i);
            for (std::size_t c = 0; c < nodes_[i].cores.size(); ++c)
                while (!nodes_[i].cores[c].mailbox.empty())
                    evict(i, c);
        }
}

bool world::is_due(const node& of) const
{
    auto one = of.holder.wake_at();
    auto other = of.recalls.wake_at();
    return (one && *one <= now_) || (other && *other <= now_);
}

/// Whether a node that never hesitates has something to do.
bool world::is_busy(std::size_t which) const
{
    auto& of = nodes_[which];
    auto commits = std::ranges::any_of(
        revocations_, [&](auto& each) { return each.origin == which && each.state == progress::committed; });
    auto evicts = std::ranges::any_of(of.cores, [](auto& each) { return !each.mailbox.empty(); });
    return commits || evicts || is_due(of) || !of.requests.empty() || !of.replies.empty() ||
           (!of.notices.empty() && !is_applying(of, of.notices.front())) || !of.fences.empty();
}

/// Whether the end of a change waits in a node for its turn: that it is published again has no effect.
bool world::is_applying(const node& of, const notice& what) const
{
    return what.kind == notice::kind_type::end &&
           std::ranges::any_of(of.holder.current().rounds, [&](auto& round) {
               return std::ranges::find(round.changes, what.change) != round.changes.end();
           });
}

std::vector<step> world::enabled() const
{
    using kind = step::kind_type;
    std::vector<step> out;
    for (std::size_t key = 0; key < revocations_.size(); ++key) {
        auto& each = revocations_[key];
        if (each.state == progress::waiting)
            out.push_back({kind::revoke, each.origin, 0, key});
        if (each.state == progress::committed)
            out.push_back({kind::commit_returns, each.origin, 0, key});
    }
    for (std::size_t i = 0; i < nodes_.size(); ++i) {
        auto& of = nodes_[i];
        if (!of.requests.empty())
            out.push_back({kind::execute, i});
        for (std::size_t c = 0; c < of.orphans.size(); ++c)
            if (!of.orphans[c].empty())
                out.push_back({kind::execute_orphan, i, c});
        if (!of.replies.empty())
            out.push_back({kind::receive_reply, i});
        if (!of.notices.empty() && !is_applying(of, of.notices.front()))
            out.push_back({kind::receive_notice, i});
        if (!of.fences.empty())
            out.push_back({kind::fence, i});
        if (is_due(of))
            out.push_back({kind::run_timers, i});
        for (std::size_t c = 0; c < of.cores.size(); ++c) {
            if (!of.cores[c].mailbox.empty())
                out.push_back({kind::evict, i, c});
            for (std::size_t key = 0; key < revocations_.size(); ++key) {
                auto bit = 1u << key;
                auto& on = of.cores[c];
                if (revocations_[key].state == progress::waiting && !((on.cached | on.loading) & bit))
                    out.push_back({kind::load, i, c, key});
                if (on.loading & bit)
                    out.push_back({kind::cache, i, c, key});
            }
        }
        if (observations_ > 0 && i == 0 && of.listens)
            out.push_back({kind::observe, i});
        if (cuts_ > 0 && of.listens && setup_->is_cut[i])
            out.push_back({kind::cut, i});
        if (failures_ > 0 && of.listens && setup_->is_failing[i]) {
            if (!of.cores.empty())
                out.push_back({kind::start, i});
            if (!of.cores.empty() || is_look(of.replies))
                out.push_back({kind::fail, i});
        } else if (of.starts > 0) {
            out.push_back({kind::start, i});
        }
    }
    if (!setup_->settles_within || !is_busy(0))
        out.push_back({kind::tick});
    return out;
}

void world::apply(const step& which)
{
    using kind = step::kind_type;
    auto bit = 1u << which.key;
    switch (which.kind) {
    case kind::revoke:
        revocations_[which.key].state = progress::committed;
        revocations_[which.key].committed = now_;
        for (std::size_t i = 0; i < nodes_.size(); ++i) {
            notify(i, {notice::kind_type::key, which.key, {}, {}});
            notify(i, {notice::kind_type::end, which.key, change_id(which.key), node_id(which.node)});
        }
        break;
    case kind::commit_returns:
        revocations_[which.key].state = progress::evicting;
        start_eviction(which.node, {false, which.key, bit});
        break;
    case kind::execute:
        execute(which.node);
        break;
    case kind::execute_orphan:
        execute_orphan(which.node, which.core);
        break;
    case kind::receive_reply:
        receive_reply(which.node);
        break;
    case kind::receive_notice:
        receive_notice(which.node);
        break;
    case kind::fence:
        fence(which.node);
        break;
    case kind::run_timers:
        perform(which.node, nodes_[which.node].holder.tick(now_));
        perform(which.node, nodes_[which.node].recalls.tick(now_));
        break;
    case kind::evict:
        evict(which.node, which.core);
        break;
    case kind::load:
        nodes_[which.node].cores[which.core].loading |= bit;
        break;
    case kind::cache:
        nodes_[which.node].cores[which.core].loading &= ~bit;
        nodes_[which.node].cores[which.core].cached |= bit;
        break;
    case kind::cut:
        --cuts_;
        connect(which.node);
        break;
    case kind::fail:
        --failures_;
        fail(which.node);
        break;
    case kind::start:
        --(nodes_[which.node].starts > 0 ? nodes_[which.node].starts : failures_);
        perform(which.node, nodes_[which.node].holder.listening(now_));
        break;
    case kind::observe:
        --observations_;
        nodes_[which.node].requests.push_back({request::kind_type::observe, 0, 0, {}, {}, now_});
        break;
    case kind::tick:
        now_ += tick;
        break;
    }
    late_ = setup_->settles_within && std::ranges::any_of(revocations_, [&](auto& each) {
                auto runs = each.state != progress::waiting && each.state != progress::acknowledged;
                return runs && now_ - each.committed > *setup_->settles_within * tick;
            });
}

std::optional<std::string> world::violation() const
{
    if (late_)
        return "a change is not settled in time";
    for (std::size_t key = 0; key < revocations_.size(); ++key)
        for (std::size_t i = 0; i < nodes_.size(); ++i)
            for (auto& each : nodes_[i].cores)
                if (revocations_[key].state == progress::acknowledged && now_ < nodes_[i].until &&
                    (each.cached & (1u << key)))
                    return "node " + std::to_string(i) + " accepts key " + std::to_string(key) +
                           " after its acknowledged revocation";
    return std::nullopt;
}

bool world::all_acknowledged() const
{
    return std::ranges::all_of(revocations_, [](auto& each) { return each.state == progress::acknowledged; });
}

/// A task of a node fails: the holder's, or the query of a node without a cache.
void world::fail(std::size_t which)
{
    auto& of = nodes_[which];
    if (!of.cores.empty()) {
        ++of.starts;
        return perform(which, of.holder.failed());
    }
    auto look = of.replies.front().id;
    of.replies.erase(of.replies.begin());
    perform(which, of.recalls.look_failed(look, now_));
}

void world::receive_reply(std::size_t which)
{
    using kind = request::kind_type;
    auto& of = nodes_[which];
    auto next = std::move(of.replies.front());
    of.replies.erase(of.replies.begin());
    switch (next.kind) {
    case kind::listen:
        perform(which,
                of.recalls.listens(which == 0 ? setup_->reception : recall_tracker::reception::proved, now_));
        if (!of.cores.empty())
            perform(which, of.holder.listening(now_));
        break;
    case kind::register_node:
        perform(which, of.holder.registered(next.id, next.epoch, server_time(next.at), now_));
        break;
    case kind::renew:
        perform(which, next.accepted ? of.holder.renewed(next.id, server_time(next.at), now_)
                                     : of.holder.refused(next.id, now_));
        break;
    case kind::observe:
        perform(which, of.recalls.observed(next.rows, next.sent, now_));
        break;
    case kind::look:
        perform(which, of.recalls.looked(next.id, next.rows, now_));
        break;
    case kind::acknowledge:
        break;
    }
}

void world::receive_notice(std::size_t which)
{
    using kind = notice::kind_type;
    auto& of = nodes_[which];
    auto next = of.notices.front();
    of.notices.erase(of.notices.begin());
    if (next.kind == kind::acknowledged)
        return perform(which, of.recalls.acknowledged({&next.change, 1}, next.node, now_));
    if (next.kind == kind::end && next.node == node_id(which))
        return;
    lease_holder::notice_batch batch;
    if (next.kind == kind::key) {
        batch.affected.credentials.push_back(key_id(next.key));
    } else {
        batch.changes.push_back(next.change);
        batch.origins.push_back(next.node);
    }
    perform(which, of.holder.heard(std::move(batch), now_));
}

/// A core runs the next eviction of its mailbox.
void world::evict(std::size_t which, std::size_t core)
{
    auto& of = nodes_[which];
    auto& on = of.cores[core];
    auto next = on.mailbox.front();
    on.mailbox.erase(on.mailbox.begin());
    on.cached &= ~next.keys;
    on.loading = 0; // its stamp is another now: what was read before is not cached
    auto is_same = [&](const eviction& each) { return each.is_round == next.is_round && each.id == next.id; };
    for (auto& each : of.cores)
        if (std::ranges::any_of(each.mailbox, is_same))
            return;
    if (next.is_round)
        return perform(which, of.holder.evicted(next.id, now_));
    revocations_[next.id].state = progress::recalling;
    perform(which, of.recalls.committed(change_id(next.id), now_));
}

void world::start_eviction(std::size_t which, eviction what)
{
    auto& of = nodes_[which];
    for (auto& each : of.cores)
        each.mailbox.push_back(what);
    if (!of.cores.empty())
        return;
    revocations_[what.id].state = progress::recalling;
    perform(which, of.recalls.committed(change_id(what.id), now_));
}

/// The connection of a node is lost, and replaced at once: any delay is one of the new connection.
void world::connect(std::size_t which)
{
    auto& of = nodes_[which];
    std::erase_if(of.requests, [](auto& each) { return has_no_effect(each); });
    if (!of.requests.empty())
        of.orphans.push_back(std::exchange(of.requests, {}));
    of.replies.clear();
    of.notices.clear();
    of.listens = false;
    of.starts = 0;
    perform(which, of.holder.connected());
    of.recalls.connected();
    of.requests.push_back({request::kind_type::listen, 0, 0, {}, {}, {}});
}

template <class Actions>
void world::perform(std::size_t which, Actions actions)
{
    for (auto& each : actions)
        perform_one(which, each);
}

void world::perform_one(std::size_t which, const lease_holder::action& what)
{
    auto& of = nodes_[which];
    if (std::get_if<lease_holder::drop_lease>(&what))
        of.until = {};
    else if (auto grant = std::get_if<lease_holder::grant_lease>(&what))
        of.until = grant->until;
    else if (auto start = std::get_if<lease_holder::start_eviction>(&what))
        start_eviction(which, {true, start->round, keys_of(start->affected, all_keys())});
    else if (auto sent = std::get_if<lease_holder::acknowledge>(&what))
        push_new(of.requests, request{request::kind_type::acknowledge, 0, 0, sent->changes, sent->origins});
    else if (auto registers = std::get_if<lease_holder::register_node>(&what))
        of.requests.push_back({request::kind_type::register_node, registers->request, 0, {}, {}, {}});
    else if (auto renews = std::get_if<lease_holder::renew>(&what))
        of.requests.push_back({request::kind_type::renew, renews->request, renews->epoch, {}, {}, {}});
}

void world::perform_one(std::size_t which, const recall_tracker::action& what)
{
    auto& of = nodes_[which];
    if (auto look = std::get_if<recall_tracker::look>(&what))
        of.requests.push_back({request::kind_type::look, look->id, 0, look->changes, look->awaited, {}});
    else if (auto fence = std::get_if<recall_tracker::fence>(&what))
        of.fences.assign(1, *fence);
    else if (auto settled = std::get_if<recall_tracker::settled>(&what))
        revocations_[key_of(settled->change)].state = progress::acknowledged;
}

} // namespace lease_model
