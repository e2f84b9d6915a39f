// Commits changes to credentials and invalidates every cache before returning.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/commit_queue.hpp"
#include "db/principals/invalidation.hpp"
#include "db/principals/principals.hpp"

#include <chrono>
#include <cstdint>
#include <functional>
#include <memory>

namespace db {

/** Ties every commit that changes what a credential may do to the invalidation of all caches: when commit()
    returns, no core of this process and no other node accepts the previous state. One per process; any core
    may call it. */
class invalidation_bus {
public:
    struct config {
        /// A batch may still commit within this time after its connection was lost; then all cores evict
        /// again.
        std::chrono::milliseconds in_doubt_time{15'000};

        /// How long a group that is not settled yet holds up those that come after it.
        std::chrono::milliseconds patience{100};
    };

    explicit invalidation_bus(config settings);
    invalidation_bus() : invalidation_bus(config()) {}
    ~invalidation_bus();

    /** Keeps a core registered. Destroy it before the core's principals and io_context, with the core at
        rest: on its own thread, or once that has ended. */
    class registration;

    /// From now on every commit waits for this core.
    [[nodiscard]] registration register_core(boost::asio::io_context& io, principals& core);

    /** Run a batch, evict the affected entries on every core, the caller's included, and on all other nodes,
        and wait until all have. Evicts also if the batch fails in a way that leaves its outcome unknown.
        Costs the batch, a hop to the other cores, and with other nodes one query for them and one round trip;
        an unresponsive node costs the remainder of its lease.
        @throw failure as pool::run, and as node::wait_for_acks */
    awaitable<results> commit(pool& db, batch work, invalidation affected);

    /** As above, where only the answers show what has changed.
        @param at_most covers everything that `from` can return; used if the answers are lost
        @param from called with the answers; nothing waits if its invalidation is empty */
    awaitable<results> commit(pool& db, batch work, invalidation at_most,
                              std::function<invalidation(const results&)> from);

    /** As above, together with other transactions of the core (group commit): those that arrive while a group
        is in flight are sent as one transaction, with one notice and one wait for all nodes. Each gets its
        own results. If the group was certainly rolled back, as for a statement of one of its members, each
        member is committed by itself. A group that takes longer than `patience` holds up no others. On a
        thread that serves no registered core, each transaction is committed by itself.
        @param rows all rows that the batch locks, apart from those that it inserts */
    awaitable<results> commit_in_group(pool& db, batch work, locked_rows rows, invalidation at_most,
                                       std::function<invalidation(const results&)> from);

    /// Evict on every core of this process, and wait until all have.
    awaitable<void> evict(invalidation affected);

    /// Waits until no other node accepts the state before a change.
    using wait_for_acks = std::function<awaitable<void>(uuid change)>;

    /// Publish every commit as `origin`, and wait for the other nodes. Called by db::node, while no core
    /// runs.
    void attach_node(const uuid& origin, wait_for_acks wait);
    void detach_node();

private:
    class state;

    /// As commit(); `from` may move from the answers.
    awaitable<results> commit_moving(pool& db, batch work, invalidation at_most,
                                     std::function<invalidation(results&)> from);
    awaitable<void> commit_group_of(std::shared_ptr<commit_queue> queue, pool* db);
    awaitable<void> commit_alone(grouped_commit_ref member, pool* db);
    void end_turn(const executor& on, const std::shared_ptr<commit_queue>& queue, std::uint64_t group,
                  pool* db);

    std::shared_ptr<state> state_;
};

class invalidation_bus::registration {
public:
    registration() = default;
    registration(registration&&) noexcept;
    registration& operator=(registration&&) noexcept;
    ~registration();

private:
    friend class invalidation_bus;
    registration(std::shared_ptr<state> of, boost::asio::io_context& io);

    std::shared_ptr<state> state_;
    boost::asio::io_context* io_ = nullptr;
};

} // namespace db
