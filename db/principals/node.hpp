// One server process in a cluster: its lease on cached principals, and the cross-node invalidation protocol.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/postgres/primary_watch.hpp"
#include "db/principals/invalidation_bus.hpp"
#include "db/principals/lease.hpp"
#include "db/principals/lease_holder.hpp"
#include "db/principals/recall_tracker.hpp"

#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <variant>

namespace db {

/** Keeps this process's lease, and waits for the acknowledgements of the other nodes. The protocol and its
    invariants are in db/principals/README.md; lease_holder and recall_tracker decide, and this class is their
    driver: it feeds them events, and performs the actions that they return.

    Triggers in the database notify of every change (migrations/0006_nodes.sql). This class listens on a
    connection of its own, evicts on all cores, and acknowledges. It renews the lease on that same connection,
    so that a node that cannot receive notices soon stops using its cache. A committer waits in
    wait_for_acks() until every other node has evicted or its lease has expired.

    Where the connection cannot listen, as behind a transaction-mode pooler, there is no lease and every
    lookup queries the database: slower, never wrong. Such a pooler does not refuse LISTEN: it runs it on the
    server connection at hand, and the notices reach the client that is next assigned to that connection. A
    loopback probe may succeed there by chance although later notices are lost, so with `prepare` off, the
    setting for a pooler, LISTEN is not tried.

    Belongs to one io_context's thread; wait_for_acks() may be awaited on any. Destroy it before its
    io_context. */
class node {
public:
    struct config {
        /// Its on_notification is replaced; its on_event is called in addition to this class's own.
        pipeline::config connection;

        /// How long a renewal is valid, and so how long a change waits for an unresponsive node.
        std::chrono::milliseconds lease_length{2000};

        /// False for a program that changes credentials but caches none.
        bool has_cache = true;

        /// How long wait_for_acks() retries while the database does not respond.
        std::chrono::milliseconds ack_timeout{10'000};

        /// How long wait_for_acks() lets a node renew its lease without acknowledging before it fences it.
        std::chrono::milliseconds fence_after{4000};
    };

    /** @param other_connections for the loopback probe and for acknowledgements
        @param lease granted and dropped by this node */
    node(boost::asio::io_context& io, pool& other_connections, invalidation_bus& bus, db::lease& lease,
         config settings);
    ~node();
    node(const node&) = delete;
    node& operator=(const node&) = delete;

    const uuid& id() const { return id_; }

    /** Wait until no other node accepts the state before a change. From any thread.
        @param change a committed change, by the id that publish_change() returned
        @throw failure (unavailable) if the database does not respond for `ack_timeout`, or the change is not
               settled within half a minute: others may then use the previous state until their lease ends */
    awaitable<void> wait_for_acks(uuid change);

    /// Drop the lease and delete this node's row, so that no change waits for it.
    awaitable<void> deregister();

    /// End the lease at once, and acquire another one with empty caches. On this node's thread.
    /// @param why for the log
    void restart(std::string_view why);

    /// The number of other nodes that may hold a lease.
    std::size_t other_live_nodes() const { return recalls_.live(); }

    /// Called on this node's thread with the number of live nodes, this one included, at each renewal.
    std::function<void(std::size_t)> on_live_nodes;

private:
    struct waiter;

    pipeline::config with_callbacks(pipeline::config settings);
    void spawn(awaitable<void> task);

    void start(std::chrono::milliseconds after);
    awaitable<void> start_later(std::uint64_t start, std::uint64_t connection,
                                std::chrono::milliseconds after);
    awaitable<void> serve_connection(std::uint64_t start, std::uint64_t connection);
    awaitable<bool> listen();

    void on_notify(std::string_view channel, std::string_view payload);
    void on_acknowledgement(std::string_view payload);
    void apply_notices();

    template <class Actions>
    void handle(Actions actions);
    void perform(lease_holder::drop_lease what);
    void perform(lease_holder::grant_lease what);
    void perform(lease_holder::start_eviction what);
    void perform(lease_holder::acknowledge what);
    void perform(lease_holder::register_node what);
    void perform(lease_holder::renew what);
    void perform(recall_tracker::look what);
    void perform(recall_tracker::fence what);
    void perform(recall_tracker::settled what);
    void perform(recall_tracker::gave_up what);

    awaitable<void> evict(std::uint64_t round, invalidation affected);
    awaitable<void> send_acknowledgements();
    awaitable<void> send_registration(std::uint64_t request);
    awaitable<void> send_renewal(lease_holder::renew what);
    void fail(std::uint64_t request);
    awaitable<void> send_look(recall_tracker::look what);
    awaitable<void> send_fence(recall_tracker::fence what);
    awaitable<void> reap_dead_nodes();
    bool is_current(std::uint64_t connection) const;

    void schedule_tick();
    awaitable<void> track_change(uuid change);
    void finish(const uuid& change, bool is_settled);
    awaitable<void> sleep(std::chrono::milliseconds time);

    boost::asio::io_context& io_;
    pool& other_connections_;
    invalidation_bus& bus_;
    db::lease& lease_;
    config settings_;
    uuid id_;
    lease_holder holder_;
    recall_tracker recalls_;

    /// Actions to perform, in order: performing one may have further events.
    std::deque<std::variant<lease_holder::action, recall_tracker::action>> actions_;
    bool performing_ = false;

    /// The token of the outstanding loopback probe; empty once received.
    std::string probe_;
    bool leaving_ = false;

    /// The last start; earlier ones end at their next step.
    std::uint64_t start_ = 0;
    boot_clock::time_point connected_at_{};

    /// Acknowledgements that wait for the answer to earlier ones.
    lease_holder::acknowledge unsent_acks_;
    bool sending_acks_ = false;

    /// Other nodes are being fenced.
    bool fencing_ = false;
    boot_clock::time_point reaped_at_{};

    /// Why the database last failed to list the nodes.
    std::optional<failure> look_error_;

    /// Notices of this turn of the reactor, in order.
    lease_holder::notice_batch notices_;
    bool notices_posted_ = false;

    /// Callers of wait_for_acks(). Shared with frames that outlive this.
    using waiters = std::multimap<uuid, waiter*>;
    std::shared_ptr<waiters> waiters_ = std::make_shared<waiters>();

    steady_timer ticker_;
    primary_watch watch_;

    /// The last member: its callbacks use the others.
    pipeline connection_;
};

} // namespace db
