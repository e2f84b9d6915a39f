// One server process in a cluster: its lease on cached principals, and the cross-node invalidation protocol.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/ack_tracker.hpp"
#include "db/principals/invalidation_bus.hpp"
#include "db/principals/lease.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace db {

/** Keeps this process's lease, and waits for the acknowledgements of the other nodes. The protocol and its
    invariants are in db/principals/README.md.

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
    };

    /** @param other_connections for the loopback probe
        @param lease granted and dropped by this node */
    node(boost::asio::io_context& io, pool& other_connections, invalidation_bus& bus, db::lease& lease,
         config settings);
    ~node();
    node(const node&) = delete;
    node& operator=(const node&) = delete;

    const uuid& id() const { return id_; }

    /** Wait until no other node accepts the state before a change. From any thread.
        @param change a committed change, by the id that publish_change() returned
        @throw failure (unavailable) if the database does not list the nodes: others may then use the previous
               state until their lease ends */
    awaitable<void> wait_for_acks(uuid change);

    /// Drop the lease and delete this node's row, so that no change waits for it.
    awaitable<void> deregister();

    /// The number of other nodes that may hold a lease.
    std::size_t other_live_nodes() const { return acks_.live(boot_clock::now()); }

    /// Called on this node's thread with the number of live nodes, this one included, at each renewal.
    std::function<void(std::size_t)> on_live_nodes;

private:
    enum class listen_state { unknown, works, fails };
    struct notice_batch;

    pipeline::config with_callbacks(pipeline::config settings);
    awaitable<void> serve_connection();
    awaitable<void> listen();
    awaitable<void> keep_lease(std::uint64_t connection);
    awaitable<bool> renew();
    awaitable<void> reap_dead_nodes();

    void on_notify(std::string_view channel, std::string_view payload);
    void on_acknowledgement(std::string_view payload);
    awaitable<void> apply_notices();
    bool is_lagging() const;

    awaitable<void> track_change(uuid change);
    awaitable<std::vector<node_record>> find_other_nodes();
    awaitable<void> poll_acks(uuid change);
    awaitable<void> sleep_until_ack(uuid change, std::chrono::milliseconds at_most);
    awaitable<void> sleep(std::chrono::milliseconds time);

    boost::asio::io_context& io_;
    pool& other_connections_;
    invalidation_bus& bus_;
    db::lease& lease_;
    config settings_;
    uuid id_;
    std::int64_t epoch_ = 0;
    ack_tracker acks_;
    listen_state listen_state_ = listen_state::unknown;

    /// The token of the outstanding loopback probe; empty once received.
    std::string probe_;
    bool leaving_ = false;
    boot_clock::time_point reaped_at_{};

    /// Notices that await eviction, in order.
    std::vector<std::string> notices_;

    /// When the batch of notices in progress was started.
    std::optional<boot_clock::time_point> applying_since_;

    /// Shared with frames that outlive this.
    using timers = std::multimap<uuid, steady_timer*>;
    std::shared_ptr<timers> sleepers_ = std::make_shared<timers>();

    /// The last member: its callbacks use the others.
    pipeline connection_;
};

} // namespace db
