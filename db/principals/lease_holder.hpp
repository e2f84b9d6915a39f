// The holder's side of the lease protocol: when this process may use its cache. No I/O and no clock.
#pragma once

#include "db/postgres/async.hpp"
#include "db/principals/invalidation.hpp"
#include "db/principals/lease.hpp"

#include <chrono>
#include <cstdint>
#include <optional>
#include <variant>
#include <vector>

namespace db {

/** The holder's side of the lease protocol of db/principals/README.md; recall_tracker is the other side.
    Events go in with their times, actions come out; db::node performs them. So every schedule of a small
    world can be run: tests/lease_model.

    Proof obligations, which together with those of recall_tracker imply that no acknowledged change is
    contradicted by a cache:

    1. A lease lasts from before its renewal was sent, for less than an observer waits from after its commit.
    2. The answer to a renewal counts once every notice that was received before it has been applied on every
       core.
    3. A grant after a gap is preceded by the eviction of everything, begun after the answer arrived. A gap is
       a lapse, however short; a refused renewal (fencing); a new connection; a failure of the holder; and a
       local clock that disagrees with the database's.
    4. A change is acknowledged once all notices up to its own have been applied on every core, or were
       forgotten together with the lease (obligation 3). */
class lease_holder {
public:
    using time_point = boot_clock::time_point;
    using duration = boot_clock::duration;

    /// PostgreSQL's clock, since any origin.
    using server_time = std::chrono::microseconds;

    // The actions, to be performed in their order.

    /// Stop using the caches, at once.
    struct drop_lease {};

    struct grant_lease {
        time_point until;
    };

    /// Evict on all cores, without waiting for earlier rounds. evicted() when every core has.
    struct start_eviction {
        std::uint64_t round = 0;
        invalidation affected;
    };

    /// Send acknowledgements; they may be lost.
    struct acknowledge {
        std::vector<uuid> changes;

        /// For each change, the node that made it.
        std::vector<uuid> origins;
    };

    /// Write this node's row, with a new epoch and not fenced, unless it is from a request with this number
    /// or a later one: a request of a lost connection may be executed at any time. registered() or failed().
    struct register_node {
        std::uint64_t request = 0;
    };

    /// Renew the lease if the row has this epoch and is not fenced. renewed(), refused() or failed().
    struct renew {
        std::uint64_t request = 0;
        std::int64_t epoch = 0;
    };

    using action = std::variant<drop_lease, grant_lease, start_eviction, acknowledge, register_node, renew>;
    using actions = std::vector<action>;

    /// Notices that were received together.
    struct notice_batch {
        invalidation affected;
        std::vector<uuid> changes, origins;
    };

    explicit lease_holder(duration length) : length_(length) {}

    // The events. A time is when the event is handled. An answer to another than the last request is ignored.

    /// The connection for notices is new: those of the time without one are lost.
    actions connected();

    /// The connection receives notices. A lease that is held ends: only a node without one registers.
    actions listening(time_point now);

    actions registered(std::uint64_t request, std::int64_t epoch, server_time at, time_point now);
    actions renewed(std::uint64_t request, server_time at, time_point now);

    /// The row has another epoch, is fenced or is gone.
    actions refused(std::uint64_t request, time_point now);

    /// Something did not work: the holder starts again at listening().
    actions failed();

    actions heard(notice_batch notices, time_point now);
    actions evicted(std::uint64_t round, time_point now);

    /// The time is wake_at(), or later.
    actions tick(time_point now);

    /// When tick() has something to do.
    std::optional<time_point> wake_at() const;

    /// The tolerated difference of clocks that run at different rates, and of pauses: a twentieth of a lease.
    duration margin() const { return length_ / 20; }

    enum class phase_type { stopped, registering, active };

    struct round_type {
        std::uint64_t id = 0;
        bool done = false;
        std::vector<uuid> changes, origins;
    };

    /// An answered renewal that is not granted yet.
    struct pending_grant {
        /// When the renewal was sent.
        time_point sent;

        /// The grant waits for the rounds up to this one.
        std::uint64_t after = 0;

        /// Whether that round evicts everything.
        bool emptied = false;
    };

    /// A time of the database's clock that lies between two times of this one.
    struct clock_sample {
        time_point sent, received;
        server_time server{};
    };

    struct state {
        phase_type phase = phase_type::stopped;
        std::int64_t epoch = 0;

        /// The last registration or renewal, when it was sent, and whether it is unanswered.
        std::uint64_t request = 0;
        time_point sent{};
        bool asking = false;

        /// Evictions in progress, and those that wait for an earlier one.
        std::vector<round_type> rounds;
        std::uint64_t last_round = 0;

        std::optional<pending_grant> pending;

        /// The end of the lease.
        time_point until{};

        /// There was a gap since the last grant.
        bool gap = true;
        std::optional<clock_sample> sample;
    };

    /// For the model checker, which encodes it, and for tests.
    const state& current() const { return state_; }

private:
    bool holds(time_point now) const { return now < state_.until; }
    void drop(actions& out);
    std::uint64_t ask(time_point now);
    bool is_unanswered(std::uint64_t request) const { return state_.asking && request == state_.request; }
    void accept(server_time at, time_point now, actions& out);
    void grant_if_applied(time_point now, actions& out);
    void start_round(notice_batch notices, actions& out);
    void acknowledge_applied(actions& out);
    bool clocks_disagree(const clock_sample& next) const;

    duration length_;
    state state_;
};

} // namespace db
