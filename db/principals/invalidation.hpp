// The one way to commit what changes somebody's rights.
#pragma once

#include "db/postgres/pool.hpp"
#include "db/principals/principals.hpp"

#include <chrono>
#include <functional>
#include <memory>

namespace db {

class node;

/** Connects every commit that changes what a credential may do with all that is remembered: when commit()
   returns, no core of this process accepts the state before, and no other process that serves the database
   does. One for the process; any core may call it. */
class principal_changes {
public:
    struct config {
        /// A batch whose connection was lost may still commit within this time; then all cores forget again.
        std::chrono::milliseconds settle_time{15'000};
    };

    explicit principal_changes(config settings);
    principal_changes() : principal_changes(config()) {}
    ~principal_changes();

    /// Keeps a core enrolled. Destroy it before the core's principals and io_context, with the core at rest:
    /// on its own thread, or when that has ended.
    class enrolment;

    /// From now on every commit waits for this core.
    [[nodiscard]] enrolment enrol(boost::asio::io_context& io, principals& core);

    /** Run a batch, then make every core forget what it changed, the caller's own included, and all other
       nodes, and wait until all have. Evicts also when the batch fails without saying whether it took effect.
       Costs the batch, one look at who else there is, a hop to the other cores and, if there are, a word to
       the other nodes and back; a node that is silent costs what is left of its lease.
        @throw failure as pool::run, and as node::settle */
    awaitable<results> commit(pool& db, batch work, change what);

    /** As above, where only the answers tell what has changed.
        @param at_most    covers whatever `from` can return; used when the answers are lost
        @param from       called with the answers; if its change is empty nobody waits */
    awaitable<results> commit(pool& db, batch work, change at_most,
                              std::function<change(const results&)> from);

    /// Make every core forget, and wait until all have.
    awaitable<void> evict(change what);

    /// From now on other nodes are told through this one. Called by itself, while no core runs.
    void tell(node& others);
    void tell_nobody();

private:
    class hub;
    std::shared_ptr<hub> hub_;
};

class principal_changes::enrolment {
public:
    enrolment() = default;
    enrolment(enrolment&&) noexcept;
    enrolment& operator=(enrolment&&) noexcept;
    ~enrolment();

private:
    friend class principal_changes;
    enrolment(std::shared_ptr<hub> of, boost::asio::io_context& io);

    std::shared_ptr<hub> hub_;
    boost::asio::io_context* io_ = nullptr;
};

} // namespace db
