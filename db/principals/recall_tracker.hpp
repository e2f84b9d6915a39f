// The committer's side of the lease protocol: when no other node can accept the state before a change.
#pragma once

#include "db/postgres/async.hpp"
#include "db/principals/lease.hpp"

#include <boost/describe/class.hpp>

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <span>
#include <utility>
#include <variant>
#include <vector>

namespace db {

/// A row of the table `nodes`.
struct node_record {
    uuid id{};

    /// Unique; another one means that the node has registered again, with an empty cache.
    std::int64_t epoch = 0;

    /// The lease's renewals.
    std::int64_t renewals = 0;

    /// How long each renewal is valid.
    std::int32_t lease_ms = 0;

    bool operator==(const node_record&) const = default;
};
BOOST_DESCRIBE_STRUCT(node_record, (), (id, epoch, renewals, lease_ms))

/** Recalls the previous state from all other nodes: the committer's side of the lease protocol of
    db/principals/README.md. Events go in with their times, actions come out; db::node performs them.

    Proof obligations, beside those of lease_holder. A change is settled once for every node that had a row
    when it was read after the commit, one of these holds:

    1. The node has acknowledged the change.
    2. Its row has another epoch: it dropped its lease before it registered, and no earlier registration
       changes the row later.
    3. Its row is gone, as read on one connection: it dropped its lease before it deregistered.
    4. Its lease has run out: a row that was first seen at `since` was read unchanged by a query that was
       *sent* at `since` plus the lease's length or later. A renewal committed after that reading is answered
       after the holder's lease has lapsed, so it is a gap there.

    Every change ends. A node that renews and does not acknowledge is fenced after `fence_after`, so that 2 or
    4 follows within a lease; a database that does not answer fails the change after `answer_timeout`, and a
    change that is not settled after `give_up_after` fails in any case. The cost of an event does not grow
    with the changes that wait, except of one that ends them. */
class recall_tracker {
public:
    using time_point = boot_clock::time_point;
    using duration = boot_clock::duration;

    struct config {
        /// A change is published again this long after the commit, and then at this interval.
        duration first_poll = std::chrono::milliseconds(100), poll_every = std::chrono::milliseconds(250);
        duration fence_after = std::chrono::seconds(4);

        /// The same while it is not known whether acknowledgements arrive: at least the length of a lease.
        duration fence_unproved_after = std::chrono::seconds(2);
        duration answer_timeout = std::chrono::seconds(10);
        duration give_up_after = std::chrono::seconds(30);
        duration retry_after = std::chrono::milliseconds(200);

        /// Unanswered queries at a time.
        std::size_t max_looks = 4;
    };

    /// Whether acknowledgements reach this node: they do; that is not known; they do not.
    enum class reception { proved, unproved, none };

    struct fence_target {
        uuid node{};
        std::int64_t epoch = 0;
        bool operator==(const fence_target&) const = default;
    };

    // The actions, to be performed in their order.

    /// Publish changes again, and read the rows of the other nodes. looked() or look_failed().
    struct look {
        std::uint64_t id = 0;

        /// Changes to publish again, and for each the node that has not acknowledged it.
        std::vector<uuid> changes, awaited;
    };

    /// Refuse the renewals of nodes until they register again. May fail, since it is repeated.
    struct fence {
        std::vector<fence_target> targets;
    };

    /// No other node accepts the state before this change.
    struct settled {
        uuid change{};
    };

    /// The change is not settled in time: other nodes may accept the previous state until their leases end.
    struct gave_up {
        uuid change{};
    };

    using action = std::variant<look, fence, settled, gave_up>;
    using actions = std::vector<action>;

    explicit recall_tracker(config settings) : config_(settings) {}

    // The events. A time is when the event is handled.

    /// The connection is new, perhaps to another server with an older state. Nothing is read before
    /// listens().
    void connected();

    /// The connection can be used. Again if what is known about acknowledgements has changed.
    /// @param receives `none`: changes fence the other nodes at once
    actions listens(reception receives, time_point now);

    /// The change is committed, and evicted in this process.
    actions committed(const uuid& change, time_point now);

    /// Also before committed(): a node can be faster than the response to the commit.
    actions acknowledged(std::span<const uuid> changes, const uuid& node, time_point now);

    actions looked(std::uint64_t look, std::span<const node_record> rows, time_point now);
    actions look_failed(std::uint64_t look, time_point now);

    /// The rows of all other nodes, read by a query of another kind.
    /// @param sent when it was sent
    actions observed(std::span<const node_record> rows, time_point sent, time_point now);

    /// The time is wake_at(), or later.
    actions tick(time_point now);

    /// When tick() has something to do.
    std::optional<time_point> wake_at() const;

    /// The number of other nodes with a possibly valid lease.
    std::size_t live() const;

    /// Nodes with a lease that expired at least `since` ago.
    std::vector<node_record> dead(duration since) const;

    struct observation {
        node_record row;

        /// When the row was first seen as it is: later than the renewal.
        time_point since;

        /// When the last query that showed it so was sent.
        time_point looked;

        /// Known from an earlier connection only. Absence proves nothing then: the server may be another.
        bool stale = false;
    };

    struct change_type {
        time_point committed, next_poll;

        /// The look that lists the nodes to wait for; 0 if none was sent since the commit.
        std::uint64_t lists = 0;
        bool listed = false;

        /// The nodes to wait for, each with the epoch of its row.
        std::vector<uuid> pending;
    };

    struct look_type {
        std::uint64_t id = 0;
        time_point sent;

        /// The changes that it lists.
        std::vector<uuid> lists;
    };

    /// Changes in the order of a time.
    using schedule = std::set<std::pair<time_point, uuid>>;

    /// A set with a limit: the oldest are forgotten.
    template <class Value>
    struct recent {
        std::map<uuid, Value> all;

        /// A ring once it is full.
        std::vector<uuid> order;
        std::size_t oldest = 0;
    };

    struct state {
        bool ready = false;
        reception receives = reception::none;
        std::map<uuid, observation> nodes;
        std::map<uuid, change_type> changes;

        // Indexes of `changes`, so that no event looks at all of them.

        /// By their commit: all; those that no look was sent for; and per node, those that wait for it.
        schedule by_commit, unasked;
        std::map<uuid, schedule> awaited;

        /// By their next poll: those that wait for nodes.
        schedule polls;

        /// When the database last answered.
        time_point answered{};

        /// The nodes that have acknowledged a change which is not listed yet.
        recent<std::vector<uuid>> early_acks;

        /// Acknowledgements of these come too late to matter.
        recent<bool> ended;

        /// Unanswered, in the order of their sending.
        std::vector<look_type> looks;
        std::uint64_t last_look = 0;

        /// After a failure.
        time_point retry_at{};
    };

    /// For the model checker, which encodes it, and for tests.
    const state& current() const { return state_; }

    /// How many changes all events so far have looked at, for a test of the cost of each.
    std::uint64_t visited() const { return visited_; }

private:
    using change_entry = std::map<uuid, change_type>::iterator;

    static duration expired_for(const observation& of);
    static bool is_expired(const observation& of) { return expired_for(of) >= duration(0); }
    static time_point expires_at(const observation& of);
    change_entry visit(const uuid& change);
    void observe(std::span<const node_record> rows, time_point sent, time_point now, actions& out);
    void release(const uuid& node, actions& out);
    void add_early(const uuid& change, const uuid& node);
    void list_pending(const uuid& change, time_point now, actions& out);
    void settle_if_done(change_entry change, actions& out);
    void end(change_entry change);
    time_point gives_up_at(time_point committed) const;
    void give_up(time_point now, actions& out);
    std::optional<time_point> look_due() const;
    bool may_look() const { return state_.ready && state_.looks.size() < config_.max_looks; }
    void look_if_due(time_point now, actions& out);
    void send_look(time_point now, actions& out);
    duration patience() const;
    void fence_overdue(time_point now, actions& out) const;

    config config_;
    state state_;
    std::uint64_t visited_ = 0;
};

} // namespace db
