// What one node knows of the others, and which of them a change still waits for. No I/O and no clock of its
// own.
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

/// A node's row as it was read.
struct peer {
    uuid id{};
    std::int64_t epoch = 0;
    std::int64_t renewals = 0;
    std::int32_t lease_ms = 0; ///< how long each renewal lets it believe

    bool operator==(const peer&) const = default;
};
BOOST_DESCRIBE_STRUCT(peer, (), (id, epoch, renewals, lease_ms))

/** Tells when every other node has forgotten what a change has made untrue. A node has if it said so; if its
   epoch is another than when the change was committed, since an epoch begins with an empty memory; if it has
   left; or if its lease has run out: its counter has stayed the same for as long as a lease lives. Leases are
   thus measured by the watcher's own clock from the moment at which a counter was first seen, which is later
   than it was granted. */
class peer_watch {
public:
    using time_point = boot_clock::time_point;

    /// The rows of all other nodes, read at `now` or later.
    void observe(std::span<const peer> rows, time_point now);

    /// What was seen is nothing to go by any more: another PostgreSQL may answer from now on, with an older
    /// state.
    void forget();

    /// Wait for all nodes that may still believe. @param rows read after the change was committed
    void begin(const uuid& change, std::span<const peer> rows, time_point now);

    /// Counts also if it comes before begin(), as it may: a node can be quicker than the answer to a commit.
    void acknowledge(const uuid& change, const uuid& node);

    /// Whether begin() was called, and nothing has ended the waiting.
    bool waits_for(const uuid& change) const { return waiting_.contains(change); }

    /// Whether nobody is waited for any more; then the change is forgotten here.
    bool settled(const uuid& change, time_point now);

    /// Nobody wants to know any more.
    void abandon(const uuid& change) { waiting_.erase(change); }

    /// Other nodes whose lease may hold.
    std::size_t live(time_point now) const;

    /// Nodes whose lease ran out at least `since` ago.
    std::vector<peer> dead(time_point now, boot_clock::duration since) const;

private:
    struct sight {
        peer row;
        time_point since; ///< seen first with this epoch and this counter
    };
    struct debt {
        uuid node{};
        std::int64_t epoch = 0; ///< when the change was committed
    };

    static boot_clock::duration silence(const sight& of, time_point now);
    static bool is_dead(const sight& of, time_point now)
    {
        return silence(of, now) >= boot_clock::duration(0);
    }
    bool still_owes(const debt& owed, time_point now) const;

    std::map<uuid, sight> peers_;
    std::map<uuid, std::vector<debt>> waiting_;
    std::deque<std::pair<uuid, uuid>> early_; ///< change and node, the newest last
};

} // namespace db
