#include "db/principals/lease_holder.hpp"

#include <algorithm>
#include <iterator>
#include <utility>

namespace db {

lease_holder::actions lease_holder::connected()
{
    return failed();
}

/* Forgets the rounds in progress: their acknowledgements may be sent by later rounds, or never, and either is
   safe while there is no lease. Uses up a request's number, so that a failure of the last request that is
   reported late is none of the next one. */
lease_holder::actions lease_holder::failed()
{
    actions out;
    drop(out);
    state_.phase = phase_type::stopped;
    state_.asking = false;
    ++state_.request;
    state_.pending.reset();
    state_.rounds.clear();
    state_.sample.reset();
    return out;
}

lease_holder::actions lease_holder::listening(time_point now)
{
    actions out;
    if (state_.phase != phase_type::stopped)
        out = failed();
    state_.phase = phase_type::registering;
    out.push_back(register_node{ask(now)});
    return out;
}

/// A registration is a renewal too.
lease_holder::actions lease_holder::registered(std::uint64_t request, std::int64_t epoch, server_time at,
                                               time_point now)
{
    actions out;
    if (!is_unanswered(request))
        return out;
    state_.phase = phase_type::active;
    state_.epoch = epoch;
    accept(at, now, out);
    return out;
}

lease_holder::actions lease_holder::renewed(std::uint64_t request, server_time at, time_point now)
{
    actions out;
    if (is_unanswered(request))
        accept(at, now, out);
    return out;
}

lease_holder::actions lease_holder::refused(std::uint64_t request, time_point now)
{
    actions out;
    if (!is_unanswered(request))
        return out;
    drop(out);
    state_.phase = phase_type::registering;
    out.push_back(register_node{ask(now)});
    return out;
}

lease_holder::actions lease_holder::heard(notice_batch notices, time_point)
{
    actions out;
    start_round(std::move(notices), out);
    acknowledge_applied(out);
    return out;
}

lease_holder::actions lease_holder::evicted(std::uint64_t round, time_point now)
{
    actions out;
    auto found = std::ranges::find(state_.rounds, round, &round_type::id);
    if (found == state_.rounds.end())
        return out; // forgotten
    found->done = true;
    acknowledge_applied(out);
    grant_if_applied(now, out);
    return out;
}

/// A node that has not evicted in time does not renew, so that the others wait for its lease only.
lease_holder::actions lease_holder::tick(time_point now)
{
    actions out;
    if (auto due = wake_at(); due && now >= *due)
        out.push_back(renew{ask(now), state_.epoch});
    return out;
}

std::optional<lease_holder::time_point> lease_holder::wake_at() const
{
    if (state_.phase != phase_type::active || state_.asking || state_.pending)
        return std::nullopt;
    return state_.sent + length_ / 4;
}

void lease_holder::drop(actions& out)
{
    state_.until = {};
    state_.gap = true;
    out.push_back(drop_lease());
}

std::uint64_t lease_holder::ask(time_point now)
{
    state_.asking = true;
    state_.sent = now;
    return ++state_.request;
}

/// A renewal was committed. Its lease began when it was sent.
void lease_holder::accept(server_time at, time_point now, actions& out)
{
    state_.asking = false;
    clock_sample next{state_.sent, now, at};
    if (clocks_disagree(next))
        drop(out);
    state_.sample = next;
    state_.pending = {state_.sent, state_.last_round, false};
    grant_if_applied(now, out);
}

void lease_holder::grant_if_applied(time_point now, actions& out)
{
    if (!state_.pending)
        return;
    auto& rounds = state_.rounds;
    if (!rounds.empty() && rounds.front().id <= state_.pending->after)
        return;

    if (!holds(now)) // lapsed before the answer, or while the cores evicted
        state_.gap = true;
    if (state_.gap && !state_.pending->emptied) {
        notice_batch all;
        all.affected.everything = true;
        start_round(std::move(all), out);
        state_.pending->after = state_.last_round;
        state_.pending->emptied = true;
        return;
    }

    auto until = state_.pending->sent + length_ - margin();
    state_.pending.reset();
    if (now >= until)
        return;
    state_.gap = false;
    state_.until = until;
    out.push_back(grant_lease{until});
}

void lease_holder::start_round(notice_batch notices, actions& out)
{
    auto id = ++state_.last_round;
    auto nothing = notices.affected.empty();
    state_.rounds.push_back({id, nothing, std::move(notices.changes), std::move(notices.origins)});
    if (!nothing)
        out.push_back(start_eviction{id, std::move(notices.affected)});
}

/// Rounds end in any order; an acknowledgement needs all rounds before its own.
void lease_holder::acknowledge_applied(actions& out)
{
    acknowledge applied;
    auto& rounds = state_.rounds;
    auto first_open = std::ranges::find(rounds, false, &round_type::done);
    for (auto each = rounds.begin(); each != first_open; ++each) {
        std::ranges::move(each->changes, std::back_inserter(applied.changes));
        std::ranges::move(each->origins, std::back_inserter(applied.origins));
    }
    rounds.erase(rounds.begin(), first_open);
    if (!applied.changes.empty())
        out.push_back(std::move(applied));
}

/* CLOCK_BOOTTIME counts the time that the system was suspended, but not that for which a hypervisor has
   paused the machine: the others may have seen its lease end meanwhile. */
bool lease_holder::clocks_disagree(const clock_sample& next) const
{
    if (!state_.sample)
        return false;
    auto& last = *state_.sample;
    auto passed = next.server - last.server;
    auto at_least = next.sent - last.received, at_most = next.received - last.sent;
    return passed > at_most + margin() || passed < at_least - margin();
}

} // namespace db
