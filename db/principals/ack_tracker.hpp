// Acknowledgement tracking: which nodes must still confirm a change, and which leases have expired.
#pragma once

#include "db/postgres/async.hpp"
#include "db/principals/lease.hpp"

#include <boost/describe/class.hpp>

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <span>
#include <utility>
#include <vector>

namespace db {

/// A row of the table `nodes`.
struct node_record {
    uuid id{};

    /// A fencing counter: grows when the node registers with an empty cache, or another node fences it.
    std::int64_t epoch = 0;

    /// The lease's renewals.
    std::int64_t renewals = 0;

    /// How long each renewal is valid.
    std::int32_t lease_ms = 0;

    bool operator==(const node_record&) const = default;
};
BOOST_DESCRIBE_STRUCT(node_record, (), (id, epoch, renewals, lease_ms))

/** Decides when no other node can serve an entry that a change affects. That holds for a node once it has
    acknowledged the change; if its epoch is another than at the commit, since an epoch starts with an empty
    cache; if its row is gone; or if its lease has expired: its counter has not moved for as long as a lease
    lasts. The observer measures this with its own clock, from the moment it first saw the counter, which is
    later than the grant.

    No I/O and no clock of its own. */
class ack_tracker {
public:
    using time_point = boot_clock::time_point;

    /// Record the rows of all other nodes, read at `now` or later.
    void observe(std::span<const node_record> rows, time_point now);

    /// Drop all observations: after a failover another PostgreSQL may respond, with an older state.
    void reset();

    /// Track a change until all nodes with a possibly valid lease have evicted.
    /// @param rows read after its commit
    void begin(const uuid& change, std::span<const node_record> rows, time_point now);

    /// Also counts before begin(): a node can be faster than the response to the commit.
    void acknowledge(const uuid& change, const uuid& node);

    /// Whether begin() was called for the change, and it is neither complete nor abandoned.
    bool is_tracking(const uuid& change) const { return pending_.contains(change); }

    /// Whether no node is pending any more; the change is then no longer tracked.
    bool is_complete(const uuid& change, time_point now);

    /// Stop tracking a change.
    void abandon(const uuid& change) { pending_.erase(change); }

    /// The number of other nodes with a possibly valid lease.
    std::size_t live(time_point now) const;

    /// Nodes with a lease that expired at least `since` ago.
    std::vector<node_record> dead(time_point now, boot_clock::duration since) const;

private:
    struct observation {
        node_record row;

        /// When this epoch and this counter were first seen.
        time_point since;
    };
    struct pending_ack {
        uuid node{};

        /// At the commit.
        std::int64_t epoch = 0;
    };

    static boot_clock::duration expired_for(const observation& of, time_point now);
    static bool is_expired(const observation& of, time_point now)
    {
        return expired_for(of, now) >= boot_clock::duration(0);
    }
    bool awaits_ack(const pending_ack& from, time_point now) const;

    std::map<uuid, observation> nodes_;
    std::map<uuid, std::vector<pending_ack>> pending_;

    /// Change and node, the newest last.
    std::deque<std::pair<uuid, uuid>> early_acks_;
};

} // namespace db
